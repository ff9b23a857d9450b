// What a cluster costs a month, roughly: for a look before `hive up`, never for decisions.
// Sources: AWS's public list prices for us-east-1, Linux, on demand, as of 2025; other regions and
// later lists differ, so the configuration can name its own (x-hive.aws.prices).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cloud/aws/desired.h"

namespace hive::cloud::aws {

struct CostLine {
  std::string what;   // "3 managers, t3.medium"
  double least = 0;   // US dollars a month of 730 hours, with the fewest workers
  double most = 0;    // with the most
  bool known = true;  // the price of an instance type may not be
};

// `prices`: US dollars an hour by instance type, before the built-in ones. Spot is counted at the
// price on demand: an upper bound. Questions to CloudWatch only where the autoscaler has any;
// traffic is not counted.
std::vector<CostLine> estimate(const Settings& settings,
                               const std::map<std::string, double>& prices);
// The lines and their sum, with what is not in it.
std::string render(const std::vector<CostLine>& lines);

}  // namespace hive::cloud::aws
