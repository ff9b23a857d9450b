#include "cli/moment.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/text.h"

namespace hive::cli {
namespace {

using std::chrono::nanoseconds;

WallTime moment_at(std::int64_t unix_seconds, double fraction) {
  const auto nanos = nanoseconds(static_cast<std::int64_t>(fraction * 1e9));
  return WallTime(
      std::chrono::duration_cast<WallTime::duration>(std::chrono::seconds(unix_seconds) + nanos));
}

bool is_number(std::string_view text) {
  return !text.empty() && std::count(text.begin(), text.end(), '.') <= 1 && text.front() != '.' &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; });
}

// Takes ".25" off the front.
double take_fraction(std::string_view& rest) {
  if (rest.empty() || rest.front() != '.') return 0;
  std::size_t end = 1;
  while (end < rest.size() && std::isdigit(static_cast<unsigned char>(rest[end])) != 0) ++end;
  const double fraction = std::strtod(("0" + std::string(rest.substr(0, end))).c_str(), nullptr);
  rest.remove_prefix(end);
  return fraction;
}

// "Z", "+09:00"; false when it is neither.
bool parse_zone(const std::string& text, std::int64_t& offset) {
  if (text == "Z") return true;
  char sign = 0;
  int hours = 0;
  int minutes = 0;
  char end = 0;
  if (std::sscanf(text.c_str(), "%c%2d:%2d%c", &sign, &hours, &minutes, &end) != 3) return false;
  if ((sign != '+' && sign != '-') || hours > 14 || minutes > 59) return false;
  offset = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

Result<WallTime> unknown(std::string_view text) {
  return fail(Errc::kInvalidArgument,
              "'" + std::string(text) +
                  "' is no time: write 10m (so long ago), 2026-11-24T16:28:13, with Z or +09:00 "
                  "behind it where it is not local time, or seconds since 1970");
}

Result<WallTime> parse_date(std::string_view text) {
  std::tm parts{};
  const std::string date(text.substr(0, 10));
  char end = 0;
  if (std::sscanf(date.c_str(), "%4d-%2d-%2d%c", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &end) != 3 ||
      parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 || parts.tm_mday > 31)
    return unknown(text);
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  parts.tm_isdst = -1;
  std::string_view rest = text.substr(10);
  double fraction = 0;
  if (!rest.empty()) {
    const std::string time(rest.substr(0, std::min<std::size_t>(rest.size(), 9)));
    if (std::sscanf(time.c_str(), "T%2d:%2d:%2d", &parts.tm_hour, &parts.tm_min, &parts.tm_sec) !=
            3 ||
        time.size() != 9 || parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60)
      return unknown(text);
    rest.remove_prefix(9);
    fraction = take_fraction(rest);
  }
  if (rest.empty()) return moment_at(std::mktime(&parts), fraction);
  std::int64_t offset = 0;
  if (!parse_zone(std::string(rest), offset)) return unknown(text);
  return moment_at(timegm(&parts) - offset, fraction);
}

}  // namespace

Result<WallTime> parse_moment(std::string_view text, WallTime now) {
  if (is_number(text)) {
    const auto dot = text.find('.');
    const std::string whole(text.substr(0, dot));
    if (whole.size() > 11) return unknown(text);
    std::string_view rest = dot == text.npos ? std::string_view() : text.substr(dot);
    return moment_at(std::strtoll(whole.c_str(), nullptr, 10), take_fraction(rest));
  }
  if (text.size() >= 10 && text[4] == '-') return parse_date(text);
  if (const auto ago = parse_duration(text); ago && ago->count() >= 0)
    return now - std::chrono::duration_cast<WallTime::duration>(*ago);
  return unknown(text);
}

std::string engine_moment(WallTime moment) {
  const auto nanos = std::chrono::duration_cast<nanoseconds>(moment.time_since_epoch()).count();
  char text[48];
  std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(nanos / 1'000'000'000),
                static_cast<long long>(nanos % 1'000'000'000));
  return text;
}

}  // namespace hive::cli
