// The offset of a time zone at a moment, from the system's zoneinfo files.
//
// g++ 12's chrono has no zones, and glibc's are those of the process's one TZ. Source: RFC 8536
// (TZif, versions 2 and later, with the rule for the time after the last transition).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hive::os {

// Of the daylight rule of a TZif footer, as POSIX writes it: "CET-1CEST,M3.5.0,M10.5.0/3".
struct ZoneRule {
  struct Change {
    enum class Kind { kMonthWeekDay, kJulian, kDayOfYear } kind = Kind::kMonthWeekDay;
    int month = 0;  // 1 to 12
    int week = 0;   // 1 to 5, 5 = the last
    int day = 0;    // of the week, from Sunday; or of the year
    int at_s = 7'200;
  };
  int standard_s = 0;  // seconds east of UTC
  int daylight_s = 0;
  bool has_daylight = false;
  Change begin;
  Change end;

  // kCorrupt when it is none.
  static Result<ZoneRule> parse(std::string_view text);
  int offset_at(std::int64_t unix_s) const;
};

class TimeZone {
 public:
  // "Europe/Berlin" in `directory`. kNotFound, kInvalidArgument for a name that leads out of it,
  // kCorrupt for a file that is no TZif.
  static Result<TimeZone> load(const std::string& name,
                               const std::filesystem::path& directory = "/usr/share/zoneinfo");
  static Result<TimeZone> parse(std::string_view bytes);

  // Seconds east of UTC then.
  int offset_at(std::int64_t unix_s) const;

 private:
  std::vector<std::int64_t> transitions_;  // rising
  std::vector<int> offsets_;               // from the transition of the same index on
  int first_ = 0;                          // before the first
  bool has_rule_ = false;
  ZoneRule rule_;  // after the last
};

// The names there are below `directory`, as TimeZone::load() takes them, sorted; none without it.
std::vector<std::string> time_zone_names(
    const std::filesystem::path& directory = "/usr/share/zoneinfo");

}  // namespace hive::os
