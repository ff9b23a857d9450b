#include "base/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>

namespace hive {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

namespace {

struct Unit {
  std::string_view name;
  double nanos;
};
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1e3},
                                      {"\xc2\xb5s", 1e3},
                                      {"\xce\xbcs", 1e3},
                                      {"ms", 1e6},
                                      {"s", 1e9},
                                      {"m", 60e9},
                                      {"h", 3600e9}}};

tl::unexpected<Error> bad_duration(std::string_view text) {
  return fail(
      Errc::kInvalidArgument,
      fmt::format("\"{}\" is not a duration (write for example \"30s\" or \"1m30s\")", text));
}

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  std::string_view rest = text;
  double sign = 1;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    sign = rest[0] == '-' ? -1 : 1;
    rest.remove_prefix(1);
  }
  if (rest == "0") return std::chrono::nanoseconds(0);
  if (rest.empty()) return bad_duration(text);
  double total = 0;
  while (!rest.empty()) {
    std::size_t digits = 0;
    while (digits < rest.size() &&
           (std::isdigit(static_cast<unsigned char>(rest[digits])) != 0 || rest[digits] == '.'))
      ++digits;
    const std::string number(rest.substr(0, digits));
    if (digits == 0 || number == "." || std::count(number.begin(), number.end(), '.') > 1)
      return bad_duration(text);
    rest.remove_prefix(digits);
    std::size_t letters = 0;
    while (letters < rest.size() && std::isdigit(static_cast<unsigned char>(rest[letters])) == 0 &&
           rest[letters] != '.')
      ++letters;
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) {
      return candidate.name == rest.substr(0, letters);
    });
    if (unit == kUnits.end()) return bad_duration(text);
    total += std::strtod(number.c_str(), nullptr) * unit->nanos;
    rest.remove_prefix(letters);
  }
  if (total > 9.2e18) return bad_duration(text);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(sign * total)));
}

std::string format_duration(std::chrono::nanoseconds duration) {
  std::int64_t nanos = duration.count();
  if (nanos == 0) return "0s";
  const std::string sign = nanos < 0 ? "-" : "";
  const std::uint64_t left =
      nanos < 0 ? 0 - static_cast<std::uint64_t>(nanos) : static_cast<std::uint64_t>(nanos);
  if (left < 1'000) return fmt::format("{}{}ns", sign, left);
  if (left < 1'000'000)
    return fmt::format("{}{:g}\xc2\xb5s", sign, static_cast<double>(left) / 1e3);
  if (left < 1'000'000'000) return fmt::format("{}{:g}ms", sign, static_cast<double>(left) / 1e6);
  const std::uint64_t hours = left / 3'600'000'000'000ULL;
  const std::uint64_t minutes = left / 60'000'000'000ULL % 60;
  const double seconds = static_cast<double>(left % 60'000'000'000ULL) / 1e9;
  std::string out = sign;
  if (hours > 0) out += fmt::format("{}h", hours);
  if (hours > 0 || minutes > 0) out += fmt::format("{}m", minutes);
  return out + fmt::format("{}s", seconds);
}

Result<std::int64_t> parse_bytes(std::string_view text) {
  const std::string copy(trim(text));
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  std::string suffix(trim(end));
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (suffix.size() > 1 && suffix.back() == 'b') suffix.pop_back();
  if (suffix.size() == 2 && suffix.back() == 'i') suffix.pop_back();
  static constexpr std::string_view kSuffixes = "bkmgtp";
  std::size_t power = 0;
  if (!suffix.empty()) {
    power = suffix.size() == 1 ? kSuffixes.find(suffix[0]) : std::string_view::npos;
  }
  if (end == copy.c_str() || power == std::string_view::npos || number < 0 ||
      std::isdigit(static_cast<unsigned char>(copy[0])) == 0)
    return fail(Errc::kInvalidArgument,
                fmt::format("\"{}\" is not a size (write for example \"512M\" or \"2G\")", text));
  const double bytes = number * std::pow(1024.0, static_cast<double>(power));
  if (bytes > 9.2e18)
    return fail(Errc::kInvalidArgument, fmt::format("size \"{}\" is too large", text));
  return static_cast<std::int64_t>(bytes);
}

std::string format_bytes(std::int64_t bytes) {
  static constexpr std::array<std::string_view, 6> kNames{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (std::abs(value) >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.4g}{}", value, kNames[unit]);
}

std::string format_age(std::chrono::seconds age) {
  const auto seconds = age.count();
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return fmt::format("{} seconds", seconds);
  const auto minutes = seconds / 60;
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return fmt::format("{} minutes", minutes);
  const auto hours = (seconds + 1800) / 3600;
  if (hours == 1) return "About an hour";
  if (hours < 48) return fmt::format("{} hours", hours);
  if (hours < 24 * 7 * 2) return fmt::format("{} days", hours / 24);
  if (hours < 24 * 30 * 2) return fmt::format("{} weeks", hours / 24 / 7);
  if (hours < 24 * 365 * 2) return fmt::format("{} months", hours / 24 / 30);
  return fmt::format("{} years", hours / 24 / 365);
}

std::optional<std::string> did_you_mean(std::string_view word,
                                        const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    // Damerau-Levenshtein (adjacent transpositions count one), over three rolling rows.
    std::vector<std::size_t> before(candidate.size() + 1);
    std::vector<std::size_t> previous(candidate.size() + 1);
    std::vector<std::size_t> current(candidate.size() + 1);
    for (std::size_t j = 0; j <= candidate.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      current[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t cost = word[i - 1] == candidate[j - 1] ? 0 : 1;
        current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost});
        if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1])
          current[j] = std::min(current[j], before[j - 2] + 1);
      }
      std::swap(before, previous);
      std::swap(previous, current);
    }
    if (previous[candidate.size()] < best_distance) {
      best_distance = previous[candidate.size()];
      best = candidate;
    }
  }
  return best;
}

}  // namespace hive
