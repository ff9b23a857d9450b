#include "decide/autoscale/cron.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"

namespace hive::decide::autoscale {
namespace {

struct Field {
  std::string_view name;
  int least;
  int most;
  std::string_view names;  // three letters each, from `least` on
};
constexpr std::array<Field, 5> kFields{{{"minute", 0, 59, ""},
                                        {"hour", 0, 23, ""},
                                        {"day of the month", 1, 31, ""},
                                        {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                        {"day of the week", 0, 7, "sunmontuewedthufrisat"}}};
constexpr std::int64_t kDay = 86'400;

tl::unexpected<Error> bad(const Field& field, std::string_view text) {
  return fail(Errc::kInvalidArgument,
              "the " + std::string(field.name) + " of a cron time is '" + std::string(text) +
                  "': numbers from " + std::to_string(field.least) + " to " +
                  std::to_string(field.most) + ", *, lists (1,2), ranges (1-5) and steps (*/5)");
}

std::optional<int> value_of(const Field& field, std::string_view text) {
  if (text.size() == 3 && std::isalpha(static_cast<unsigned char>(text[0])) != 0) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (std::size_t i = 0; i + 3 <= field.names.size(); i += 3)
      if (field.names.substr(i, 3) == lower) return field.least + static_cast<int>(i / 3);
    return std::nullopt;
  }
  if (text.empty() || text.size() > 2) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (value < field.least || value > field.most) return std::nullopt;
  return value;
}

// Values of one part of a list: "*", "5", "1-5", "*/2", "8-18/2".
std::optional<std::vector<int>> values_of(const Field& field, std::string_view part) {
  int step = 1;
  if (const auto slash = part.find('/'); slash != part.npos) {
    const auto digits = part.substr(slash + 1);
    if (digits.empty() || digits.size() > 2 ||
        !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return std::nullopt;
    step = std::stoi(std::string(digits));
    part = part.substr(0, slash);
    if (step == 0 || (part != "*" && part.find('-') == part.npos)) return std::nullopt;
  }
  std::optional<int> first = field.least;
  std::optional<int> last = field.most;
  if (part != "*") {
    const auto dash = part.find('-');
    first = value_of(field, part.substr(0, dash));
    last = dash == part.npos ? first : value_of(field, part.substr(dash + 1));
  }
  if (!first || !last || *first > *last) return std::nullopt;
  std::vector<int> out;
  for (int value = *first; value <= *last; value += step) out.push_back(value);
  return out;
}

template <std::size_t N>
Status read_field(const Field& field, std::string_view text, std::bitset<N>& out) {
  for (const std::string& part : split(text, ',')) {
    const auto values = values_of(field, part);
    if (!values) return bad(field, text);
    for (const int value : *values) out.set(static_cast<std::size_t>(value) % N);
  }
  return {};
}

// Howard Hinnant, "chrono-compatible low-level date algorithms": civil_from_days.
void civil_of(std::int64_t days, int& month, int& day) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto of_era = static_cast<int>(days - era * 146'097);
  const int year = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const int of_year = of_era - (365 * year + year / 4 - year / 100);
  const int shifted = (5 * of_year + 2) / 153;
  day = of_year - (153 * shifted + 2) / 5 + 1;
  month = shifted < 10 ? shifted + 3 : shifted - 9;
}

}  // namespace

Result<Cron> parse_cron(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string& word : split(text, ' '))
    if (!word.empty()) words.push_back(word);
  if (words.size() != kFields.size())
    return fail(Errc::kInvalidArgument, "'" + std::string(text) + "' is no cron time: it has " +
                                            std::to_string(words.size()) +
                                            " fields, and 5 are wanted, as in 0 8 * * mon-fri");
  Cron out;
  HIVE_TRY(read_field(kFields[0], words[0], out.minutes));
  HIVE_TRY(read_field(kFields[1], words[1], out.hours));
  HIVE_TRY(read_field(kFields[2], words[2], out.days));
  HIVE_TRY(read_field(kFields[3], words[3], out.months));
  HIVE_TRY(read_field(kFields[4], words[4], out.weekdays));
  out.any_day = words[2] == "*";
  out.any_weekday = words[4] == "*";
  return out;
}

bool Cron::matches(std::int64_t local) const {
  const std::int64_t day_number = (local >= 0 ? local : local - kDay + 1) / kDay;
  const std::int64_t second = local - day_number * kDay;
  if (!minutes[static_cast<std::size_t>(second / kMinute % 60)] ||
      !hours[static_cast<std::size_t>(second / 3600)])
    return false;
  int month = 0;
  int day = 0;
  civil_of(day_number, month, day);
  if (!months[static_cast<std::size_t>(month)]) return false;
  const bool by_day = days[static_cast<std::size_t>(day)];
  // 1970-01-01 was a Thursday.
  const bool by_weekday = weekdays[static_cast<std::size_t>(((day_number + 4) % 7 + 7) % 7)];
  if (!any_day && !any_weekday) return by_day || by_weekday;
  return by_day && by_weekday;
}

}  // namespace hive::decide::autoscale
