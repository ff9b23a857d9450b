#include "cloud/aws/cost.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string_view>

namespace hive::cloud::aws {
namespace {

constexpr double kHours = 730;
constexpr double kDiskGibMonth = 0.08;  // gp3
constexpr double kClassicHour = 0.025;
constexpr double kV2BalancerHour = 0.0225;    // application and network, without capacity units
constexpr double kPublicAddressHour = 0.005;  // IPv4, one of each machine
constexpr double kMetricAskedFor = 0.01 / 1'000;
constexpr double kQuestionsAnHour = 60;  // as controller/balancer_watch.h asks

struct Price {
  std::string_view type;  // of the size "large", where the family doubles from size to size
  double hour;
};
constexpr Price kLarge[] = {{"t3", 0.0832},   {"t3a", 0.0752},  {"t4g", 0.0672}, {"m5", 0.096},
                            {"m5a", 0.086},   {"m6i", 0.096},   {"m6a", 0.0864}, {"m6g", 0.077},
                            {"m7i", 0.1008},  {"m7a", 0.11592}, {"m7g", 0.0816}, {"c5", 0.085},
                            {"c5a", 0.077},   {"c6i", 0.085},   {"c6a", 0.0765}, {"c6g", 0.068},
                            {"c7i", 0.08925}, {"c7g", 0.0725},  {"r5", 0.126},   {"r5a", 0.113},
                            {"r6i", 0.126},   {"r6g", 0.1008},  {"r7i", 0.1323}, {"r7g", 0.1071}};
struct Size {
  std::string_view name;
  double larges;
};
constexpr Size kSizes[] = {{"nano", 0.0625}, {"micro", 0.125}, {"small", 0.25},  {"medium", 0.5},
                           {"large", 1},     {"xlarge", 2},    {"2xlarge", 4},   {"4xlarge", 8},
                           {"8xlarge", 16},  {"12xlarge", 24}, {"16xlarge", 32}, {"24xlarge", 48}};

std::optional<double> price_of(const std::string& type,
                               const std::map<std::string, double>& prices) {
  if (const auto own = prices.find(type); own != prices.end()) return own->second;
  const auto dot = type.find('.');
  const std::string_view family = std::string_view(type).substr(0, dot);
  const std::string_view size = std::string_view(type).substr(dot + 1);
  const auto* large = std::find_if(std::begin(kLarge), std::end(kLarge),
                                   [&](const Price& one) { return one.type == family; });
  const auto* factor = std::find_if(std::begin(kSizes), std::end(kSizes),
                                    [&](const Size& one) { return one.name == size; });
  if (large == std::end(kLarge) || factor == std::end(kSizes)) return std::nullopt;
  return large->hour * factor->larges;
}

// Of several types the dearest: which of them comes is AWS's choice.
CostLine machines(const std::string& what, std::uint32_t least, std::uint32_t most,
                  const std::vector<std::string>& types,
                  const std::map<std::string, double>& prices) {
  CostLine out;
  double hour = 0;
  std::string dearest;
  for (const auto& type : types) {
    const auto price = price_of(type, prices);
    out.known = out.known && price;
    if (dearest.empty() || price.value_or(0) > hour) dearest = type;
    hour = std::max(hour, price.value_or(0));
  }
  const std::string count =
      std::to_string(least) + (least == most ? "" : " to " + std::to_string(most));
  out.what = count + " " + what + ", " + dearest;
  out.least = least * hour * kHours;
  out.most = most * hour * kHours;
  return out;
}

CostLine balancer(BalancerType type) {
  const double month = (type == BalancerType::kClassic ? kClassicHour : kV2BalancerHour) * kHours;
  switch (type) {
    case BalancerType::kClassic:
      return {"Classic Load Balancer", month, month};
    case BalancerType::kApplication:
      return {"Application Load Balancer, without LCUs", month, month};
    case BalancerType::kNetwork:
      break;
  }
  return {"Network Load Balancer, without NLCUs", month, month};
}

// A question is charged by its figures and one more (balancer_figures.h).
CostLine questions(std::uint32_t figures) {
  const double month = (figures + 1.0) * kMetricAskedFor * kQuestionsAnHour * kHours;
  return {"CloudWatch, asked each minute for " + std::to_string(figures + 1) + " metrics", month,
          month};
}

std::string row(const std::string& what, double least, double most) {
  char text[160];
  std::snprintf(text, sizeof text, "  %-44s %9.2f to %9.2f\n", what.c_str(), least, most);
  return text;
}

}  // namespace

std::vector<CostLine> estimate(const Settings& settings,
                               const std::map<std::string, double>& prices) {
  const double least = settings.managers + settings.workers_min;
  const double most = settings.managers + settings.workers_max;
  // What waits in the warm pool keeps its disk, and where it runs all else too.
  const double warm = settings.warm_workers;
  const double running = settings.warm_running ? warm : 0;
  const double disk = static_cast<double>(settings.disk_gib) * kDiskGibMonth;
  const double address = kPublicAddressHour * kHours;
  std::vector<CostLine> out{
      machines("managers", settings.managers, settings.managers, {settings.manager_type}, prices),
      machines("workers", settings.workers_min, settings.workers_max, settings.worker_types,
               prices),
      {"disks, " + std::to_string(settings.disk_gib) + " GiB each", (least + warm) * disk,
       (most + warm) * disk},
      balancer(settings.balancer),
      {"public IPv4 addresses, where subnets give them", (least + running) * address,
       (most + running) * address}};
  if (running > 0)
    out.push_back(machines("running in the warm pool", settings.warm_workers, settings.warm_workers,
                           settings.worker_types, prices));
  if (settings.balancer_figures > 0) out.push_back(questions(settings.balancer_figures));
  return out;
}

std::string render(const std::vector<CostLine>& lines) {
  std::string out =
      "estimate, US dollars a month (list prices of us-east-1 unless x-hive.aws.prices "
      "names yours):\n";
  double least = 0;
  double most = 0;
  for (const auto& line : lines) {
    if (line.known) {
      out += row(line.what, line.least, line.most);
    } else {
      out += "  " + line.what + ": the price is not known; name it in x-hive.aws.prices\n";
    }
    least += line.least;
    most += line.most;
  }
  out += row("together", least, most);
  return out + "  not counted: traffic, stored images and logs; Spot is counted as on demand\n";
}

}  // namespace hive::cloud::aws
