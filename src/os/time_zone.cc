#include "os/time_zone.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <optional>
#include <system_error>

#include "os/file.h"

namespace hive::os {
namespace {

constexpr std::size_t kMostBytes = 1U << 20;
constexpr std::size_t kHeader = 44;
constexpr int kDay = 86'400;

tl::unexpected<Error> corrupt(const char* what) {
  return fail(Errc::kCorrupt, std::string("time zone: ") + what);
}

// --- the bytes of TZif, big-endian

std::uint64_t number(std::string_view bytes, std::size_t at, int count) {
  std::uint64_t out = 0;
  for (int i = 0; i < count; ++i)
    out = out << 8U | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return out;
}

struct Counts {
  std::size_t utc = 0, standard = 0, leaps = 0, transitions = 0, types = 0, names = 0;
  std::size_t body(std::size_t time_bytes) const {
    return transitions * (time_bytes + 1) + types * 6 + names + leaps * (time_bytes + 4) +
           standard + utc;
  }
};

Result<Counts> header_at(std::string_view bytes, std::size_t at) {
  if (bytes.size() < at + kHeader || bytes.substr(at, 4) != "TZif")
    return corrupt("this is no TZif file");
  const auto count = [&](std::size_t index) {
    return static_cast<std::size_t>(number(bytes, at + 20 + 4 * index, 4));
  };
  Counts out{count(0), count(1), count(2), count(3), count(4), count(5)};
  for (const auto one : {out.utc, out.standard, out.leaps, out.transitions, out.types, out.names})
    if (one > kMostBytes) return corrupt("a count is too large");
  return out;
}

// --- POSIX's rule

class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : text_(text) {}

  bool done() const { return text_.empty(); }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // "CET", or "<+03>".
  bool name() {
    std::size_t length = 0;
    if (take('<')) {
      length = text_.find('>');
      if (length == std::string_view::npos) return false;
      text_.remove_prefix(length + 1);
      return length > 0;
    }
    while (length < text_.size() && ((text_[length] >= 'a' && text_[length] <= 'z') ||
                                     (text_[length] >= 'A' && text_[length] <= 'Z')))
      ++length;
    text_.remove_prefix(length);
    return length >= 3;
  }
  std::optional<int> whole(int most) {
    int out = 0;
    std::size_t digits = 0;
    while (digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9' && out <= most)
      out = out * 10 + (text_[digits++] - '0');
    text_.remove_prefix(digits);
    if (digits == 0 || out > most) return std::nullopt;
    return out;
  }
  // [+-]hh[:mm[:ss]] in seconds.
  std::optional<int> time() {
    const bool negative = take('-');
    if (!negative) take('+');
    const auto hours = whole(167);
    if (!hours) return std::nullopt;
    int out = *hours * 3'600;
    for (const int unit : {60, 1}) {
      if (!take(':')) break;
      const auto part = whole(59);
      if (!part) return std::nullopt;
      out += *part * unit;
    }
    return negative ? -out : out;
  }
  bool change(ZoneRule::Change& out) {
    using Kind = ZoneRule::Change::Kind;
    if (take('M')) {
      const auto month = whole(12);
      const auto week = take('.') ? whole(5) : std::nullopt;
      const auto day = take('.') ? whole(6) : std::nullopt;
      if (!month || !week || !day || *month == 0 || *week == 0) return false;
      out = {Kind::kMonthWeekDay, *month, *week, *day, 7'200};
    } else {
      const bool julian = take('J');
      const auto day = whole(julian ? 365 : 366);
      if (!day || (julian && *day == 0)) return false;
      out = {julian ? Kind::kJulian : Kind::kDayOfYear, 0, 0, *day, 7'200};
    }
    if (!take('/')) return true;
    const auto at = time();
    if (at) out.at_s = *at;
    return at.has_value();
  }

 private:
  std::string_view text_;
};

// Seconds from 1970 of the change in that year, by the wall clock before it.
std::int64_t local_change(const ZoneRule::Change& change, std::chrono::year year) {
  using namespace std::chrono;
  using Kind = ZoneRule::Change::Kind;
  sys_days day = sys_days(year / January / 1);
  if (change.kind == Kind::kMonthWeekDay) {
    const auto of = month(static_cast<unsigned>(change.month));
    const auto wanted = weekday(static_cast<unsigned>(change.day));
    day = change.week == 5 ? sys_days(year / of / wanted[last])
                           : sys_days(year / of / wanted[static_cast<unsigned>(change.week)]);
  } else if (change.kind == Kind::kJulian) {
    // The 29th of February is never counted.
    const bool after = year.is_leap() && change.day >= 60;
    day += days(change.day - (after ? 0 : 1));
  } else {
    day += days(change.day);
  }
  return std::int64_t{day.time_since_epoch().count()} * kDay + change.at_s;
}

}  // namespace

Result<ZoneRule> ZoneRule::parse(std::string_view text) {
  RuleReader reader(text);
  ZoneRule out;
  if (!reader.name()) return corrupt("its rule has no name");
  const auto west = reader.time();
  if (!west) return corrupt("its rule has no offset");
  out.standard_s = out.daylight_s = -*west;
  if (reader.done()) return out;
  if (!reader.name()) return corrupt("its rule's daylight time has no name");
  out.has_daylight = true;
  out.daylight_s = out.standard_s + 3'600;
  if (!reader.take(',')) {
    const auto daylight = reader.time();
    if (!daylight || !reader.take(',')) return corrupt("its rule's daylight time has no dates");
    out.daylight_s = -*daylight;
  }
  if (!reader.change(out.begin) || !reader.take(',') || !reader.change(out.end) || !reader.done())
    return corrupt("its rule's dates cannot be read");
  return out;
}

int ZoneRule::offset_at(std::int64_t unix_s) const {
  using namespace std::chrono;
  if (!has_daylight) return standard_s;
  const auto local_day = floor<days>(sys_seconds(seconds(unix_s + standard_s)));
  const year here = year_month_day(local_day).year();
  const std::int64_t from = local_change(begin, here) - standard_s;
  const std::int64_t to = local_change(end, here) - daylight_s;
  // South of the equator it begins in one year and ends in the next.
  const bool daylight = from < to ? unix_s >= from && unix_s < to : unix_s >= from || unix_s < to;
  return daylight ? daylight_s : standard_s;
}

Result<TimeZone> TimeZone::parse(std::string_view bytes) {
  HIVE_ASSIGN(const Counts old, header_at(bytes, 0));
  if (bytes[4] < '2') return corrupt("TZif of version 1 has no time after 2038");
  const std::size_t second = kHeader + old.body(4);
  HIVE_ASSIGN(const Counts counts, header_at(bytes, second));
  std::size_t at = second + kHeader;
  if (bytes.size() < at + counts.body(8) || counts.types == 0) return corrupt("it is cut short");
  const std::size_t types_at = at + counts.transitions * 9;
  const auto offset_of = [&](std::size_t type) {
    return static_cast<int>(static_cast<std::int32_t>(number(bytes, types_at + type * 6, 4)));
  };
  TimeZone out;
  out.first_ = offset_of(0);
  for (std::size_t i = 0; i < counts.transitions; ++i) {
    const auto type = static_cast<unsigned char>(bytes[at + counts.transitions * 8 + i]);
    if (type >= counts.types) return corrupt("a transition leads to no type");
    out.transitions_.push_back(static_cast<std::int64_t>(number(bytes, at + i * 8, 8)));
    out.offsets_.push_back(offset_of(type));
  }
  if (!std::is_sorted(out.transitions_.begin(), out.transitions_.end()))
    return corrupt("its transitions are in no order");
  std::string_view rule = bytes.substr(at + counts.body(8));
  if (rule.size() > 2 && rule.front() == '\n') {
    rule = rule.substr(1, rule.find('\n', 1) - 1);
    HIVE_ASSIGN(out.rule_, ZoneRule::parse(rule));
    out.has_rule_ = true;
  }
  return out;
}

Result<TimeZone> TimeZone::load(const std::string& name, const std::filesystem::path& directory) {
  if (name.empty() || name.front() == '/' || name.find("..") != std::string::npos)
    return fail(Errc::kInvalidArgument, "'" + name + "' is no name of a time zone");
  HIVE_ASSIGN(const auto bytes, read_file(directory / name, kMostBytes));
  return parse(bytes);
}

int TimeZone::offset_at(std::int64_t unix_s) const {
  const auto after = std::upper_bound(transitions_.begin(), transitions_.end(), unix_s);
  if (after == transitions_.end() && has_rule_) return rule_.offset_at(unix_s);
  if (after == transitions_.begin()) return first_;
  return offsets_[static_cast<std::size_t>(after - transitions_.begin()) - 1];
}

std::vector<std::string> time_zone_names(const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  std::vector<std::string> out;
  std::error_code fault;
  // "posix", "right", tables and leap seconds aside, each part of a name begins with a capital.
  for (fs::recursive_directory_iterator one(directory, fault), end; !fault && one != end;
       one.increment(fault)) {
    const std::string part = one->path().filename().string();
    const bool named = std::isupper(static_cast<unsigned char>(part.front())) != 0;
    if (one->is_directory(fault)) {
      if (!named) one.disable_recursion_pending();
    } else if (named && part.find('.') == std::string::npos) {
      out.push_back(one->path().lexically_relative(directory).string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace hive::os
