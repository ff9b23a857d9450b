// Times of a schedule: the five fields of cron, as crontab(5) has them.
//
//   minute hour day-of-month month day-of-week      "0 8 * * mon-fri", "*/15 9-17 1,15 * *"
//
// Names of months and days by their first three letters; Sunday is 0 or 7. Where both days are
// restricted (neither is `*`), one of them is enough.
#pragma once

#include <bitset>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace hive::decide::autoscale {

inline constexpr std::int64_t kMinute = 60;  // seconds

struct Cron {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;  // of the month, from 1
  std::bitset<13> months;
  std::bitset<7> weekdays;
  bool any_day = true;
  bool any_weekday = true;

  // `local`: seconds since 1970 as the wall clock there shows them (Unix time plus the zone's
  // offset).
  bool matches(std::int64_t local) const;
};

// kInvalidArgument naming the field.
Result<Cron> parse_cron(std::string_view text);

}  // namespace hive::decide::autoscale
