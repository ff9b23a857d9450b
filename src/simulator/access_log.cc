#include "simulator/access_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <filesystem>

#include "base/text.h"
#include "simulator/lines.h"
#include "simulator/trace.h"

namespace hive::simulator {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  const char* begin = text.data() + at;
  const auto [end, fault] = std::from_chars(begin, begin + count, value);
  if (fault != std::errc() || end != begin + count || value < 0) return std::nullopt;
  return value;
}

// "10/Oct/2000:13:55:36 -0700", exactly.
std::optional<std::int64_t> parse_stamp(std::string_view text) {
  if (text.size() != 26 || text[2] != '/' || text[6] != '/' || text[11] != ':' || text[14] != ':' ||
      text[17] != ':' || text[20] != ' ' || (text[21] != '+' && text[21] != '-'))
    return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(3, 3));
  const auto day = digits(text, 0, 2);
  const auto year = digits(text, 7, 4);
  const auto hour = digits(text, 12, 2);
  const auto minute = digits(text, 15, 2);
  const auto second = digits(text, 18, 2);
  const auto zone_hour = digits(text, 22, 2);
  const auto zone_minute = digits(text, 24, 2);
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second || !zone_hour ||
      !zone_minute || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60 ||
      *zone_hour > 14 || *zone_minute > 59 || *year < 1970)
    return std::nullopt;
  std::tm parts{};
  parts.tm_year = *year - 1900;
  parts.tm_mon = static_cast<int>(month - kMonths.begin());
  parts.tm_mday = *day;
  parts.tm_hour = *hour;
  parts.tm_min = *minute;
  parts.tm_sec = *second;
  const std::int64_t offset = (*zone_hour * 60 + *zone_minute) * 60;
  return timegm(&parts) - (text[21] == '-' ? -offset : offset);
}

// Seconds since the first of them, kept as counts that grow to both sides.
class Counter {
 public:
  // False when the log would span too much.
  bool add(std::int64_t moment) {
    if (counts_.empty()) first_ = moment;
    if (moment < first_) {
      const auto more = static_cast<std::size_t>(first_ - moment);
      if (more + counts_.size() > kMaxSeconds) return false;
      counts_.insert(counts_.begin(), more, 0.0F);
      first_ = moment;
    }
    const auto index = static_cast<std::size_t>(moment - first_);
    if (index >= kMaxSeconds) return false;
    if (index >= counts_.size()) counts_.resize(index + 1, 0.0F);
    ++counts_[index];
    return true;
  }
  std::int64_t first() const { return first_; }
  std::vector<float> take() { return std::move(counts_); }

 private:
  std::int64_t first_ = 0;
  std::vector<float> counts_;
};

Status check(const AccessLog& log, const std::string& path, bool any) {
  const std::string first =
      log.first_bad.empty()
          ? std::string()
          : fmt::format(" (line {}: {})", log.first_bad.front().number, log.first_bad.front().why);
  if (!any)
    return fail(
        Errc::kInvalidArgument,
        fmt::format("{}: none of its {} lines is one of an access log{}", path, log.lines, first));
  if (static_cast<double>(log.bad) > kMostBad * static_cast<double>(log.lines))
    return fail(Errc::kInvalidArgument,
                fmt::format("{}: {} of {} lines are none of an access log in common or combined "
                            "format{}",
                            path, log.bad, log.lines, first));
  return {};
}

}  // namespace

std::optional<std::int64_t> parse_access_time(std::string_view line) {
  const auto open = line.find('[');
  // The address, the identity and the user come first; a request line may hold brackets too.
  if (open == std::string_view::npos || open == 0 || line.find('"') < open) return std::nullopt;
  const auto close = line.find(']', open);
  if (close == std::string_view::npos) return std::nullopt;
  return parse_stamp(line.substr(open + 1, close - open - 1));
}

Result<AccessLog> read_access_log(const std::string& path) {
  AccessLog out;
  Counter counter;
  bool any = false;
  HIVE_TRY(each_line(path, [&](std::string_view line, std::uint64_t number) -> Status {
    if (trim(line).empty()) return {};
    ++out.lines;
    if (const auto moment = parse_access_time(line)) {
      any = true;
      if (counter.add(*moment)) return {};
      return fail(
          Errc::kInvalidArgument,
          fmt::format("{}:{}: its time is more than four years from the others", path, number));
    }
    ++out.bad;
    if (out.first_bad.size() < kShownBad)
      out.first_bad.push_back(
          {number, "no time like [10/Oct/2000:13:55:36 -0700] after the client"});
    return {};
  }));
  HIVE_TRY(check(out, path, any));
  out.load.name = std::filesystem::path(path).filename().string();
  out.load.start = counter.first();
  out.load.requests = counter.take();
  return out;
}

}  // namespace hive::simulator
