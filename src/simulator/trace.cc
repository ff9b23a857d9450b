#include "simulator/trace.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <numeric>

#include "base/text.h"
#include "simulator/draw.h"
#include "simulator/lines.h"
#include "simulator/load.h"

namespace hive::simulator {
namespace {

constexpr std::size_t kLeastGap = 600;
constexpr double kBusy = 5;  // requests a second
constexpr std::int64_t kLongestStep = 86'400;

tl::unexpected<Error> bad(const std::string& path, std::uint64_t line, std::string_view why) {
  return fail(Errc::kInvalidArgument, fmt::format("{}:{}: {}", path, line, why));
}

std::optional<double> parse_count(std::string_view text) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0 || value > 1e12) return std::nullopt;
  return value;
}

std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 40)) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return out;
}

Status read_comment(Trace& out, const std::string& path, std::string_view text,
                    std::uint64_t line) {
  text = trim(text.substr(1));
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  const auto key = trim(text.substr(0, colon));
  const auto value = trim(text.substr(colon + 1));
  if (key == "source") out.source = std::string(value);
  if (key == "step_s") {
    const auto step = parse_count(value);
    if (!step || *step < 1 || *step > kLongestStep || *step != std::floor(*step))
      return bad(path, line,
                 fmt::format("step_s is '{}': it must be 1 to 86400 whole seconds", shown(value)));
    if (!out.counts.empty()) return bad(path, line, "step_s must stand before the first count");
    out.step_s = static_cast<std::int64_t>(*step);
  }
  if (key == "start") {
    const auto start = parse_utc(value);
    if (!start)
      return bad(path, line,
                 fmt::format("start is '{}': write it as 1998-04-30T21:30:00Z", shown(value)));
    out.start = *start;
  }
  return {};
}

std::string stem(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  for (const std::string_view ending : {".gz", ".bz2", ".xz", ".zst", ".txt"})
    if (name.size() > ending.size() && name.ends_with(ending))
      name.resize(name.size() - ending.size());
  return name;
}

// Requests a second in the middle of each step; between middles the rate is a straight line. The
// middles are moved until each step's integral is its count, as far as rates stay positive.
std::vector<double> middles(const Trace& trace) {
  std::vector<double> mean(trace.counts.size());
  for (std::size_t i = 0; i < mean.size(); ++i)
    mean[i] = trace.counts[i] / static_cast<double>(trace.step_s);
  std::vector<double> rate = mean;
  for (int round = 0; round < 20; ++round) {
    double before = rate.front();
    for (std::size_t i = 0; i < rate.size(); ++i) {
      const double here = rate[i];
      const double after = rate[std::min(i + 1, rate.size() - 1)];
      rate[i] = std::max(0.0, here + mean[i] - (before + 6 * here + after) / 8);
      before = here;
    }
  }
  return rate;
}

double rate_at(const std::vector<double>& rate, std::size_t second, std::size_t step) {
  const double place = (static_cast<double>(second) + 0.5) / static_cast<double>(step) - 0.5;
  const double low = std::clamp(std::floor(place), 0.0, static_cast<double>(rate.size() - 1));
  const auto index = static_cast<std::size_t>(low);
  const double next = rate[std::min(index + 1, rate.size() - 1)];
  return rate[index] + (next - rate[index]) * std::clamp(place - low, 0.0, 1.0);
}

}  // namespace

std::optional<std::int64_t> parse_utc(std::string_view text) {
  std::tm parts{};
  char zone = 0;
  char end = 0;
  if (std::sscanf(std::string(text.substr(0, 40)).c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%c%c",
                  &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min,
                  &parts.tm_sec, &zone, &end) != 7 ||
      zone != 'Z' || parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 ||
      parts.tm_mday > 31 || parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60)
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return timegm(&parts);
}

Result<Trace> read_trace(const std::string& path) {
  Trace out{.name = stem(path)};
  HIVE_TRY(each_line(path, [&](std::string_view line, std::uint64_t number) -> Status {
    line = trim(line);
    if (line.empty()) return {};
    if (line.front() == '#') return read_comment(out, path, line, number);
    const auto count = parse_count(line);
    if (!count)
      return bad(path, number,
                 fmt::format("'{}' is no count of requests (one number a line is wanted; an access "
                             "log is read with --access-log)",
                             shown(line)));
    if (out.counts.size() >= kMaxSeconds)
      return bad(path, number, "the trace is longer than four years of seconds");
    out.counts.push_back(*count);
    return {};
  }));
  if (out.counts.empty())
    return fail(Errc::kInvalidArgument, fmt::format("{}: it holds no counts", path));
  return out;
}

Result<Load> to_load(const Trace& trace, Random& random, std::size_t at_most_s,
                     std::size_t first_s) {
  const auto step = static_cast<std::size_t>(trace.step_s);
  const std::size_t all = trace.counts.size() * step;
  if (first_s >= all)
    return fail(Errc::kInvalidArgument, fmt::format("{} has only {} seconds", trace.name, all));
  const std::size_t seconds = std::min(all - first_s, at_most_s);
  if (seconds > kMaxSeconds)
    return fail(Errc::kInvalidArgument,
                fmt::format("{} is longer than four years: choose a part of it", trace.name));
  Load out{.name = trace.name, .start = trace.start + static_cast<std::int64_t>(first_s)};
  out.requests.resize(seconds);
  if (step == 1) {
    for (std::size_t t = 0; t < seconds; ++t)
      out.requests[t] = static_cast<float>(trace.counts[first_s + t]);
  } else {
    const auto rate = middles(trace);
    for (std::size_t t = 0; t < seconds; ++t)
      out.requests[t] = static_cast<float>(
          draw_negative_binomial(random, rate_at(rate, first_s + t, step), kDispersion));
  }
  out.gaps = find_gaps(out.requests);
  return out;
}

std::vector<Span> find_gaps(const std::vector<float>& requests) {
  std::vector<Span> gaps;
  double hour = 0;  // demand of the measured hour before
  for (std::size_t t = 0; t < requests.size();) {
    std::size_t end = t;
    while (end < requests.size() && requests[end] == 0) ++end;
    if (end - t >= kLeastGap && hour >= kBusy * kHour) {
      gaps.push_back({t, end});
      t = end;
      continue;
    }
    end = std::max(end, t + 1);
    for (; t < end; ++t)
      hour += static_cast<double>(requests[t]) - hour / static_cast<double>(kHour);
  }
  return gaps;
}

}  // namespace hive::simulator
