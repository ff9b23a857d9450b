// What a Classic Load Balancer measures of itself, by CloudWatch (cloud/cloud.h, BalancerFigure).
//
// CloudWatch has a value for each minute, and has it a minute or more late. A minute that ended
// less than kSettles ago may not have all of it: its value counts only where it is the larger one.
// A balancer reports requests, those that wait and those refused only in minutes that had some, but
// its healthy instances in all minutes: so a minute that has these and not the other had none of
// it. A minute without both says nothing. Source: User Guide for Classic Load Balancers,
// "CloudWatch metrics for your Classic Load Balancer".
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cloud/aws/client.h"
#include "cloud/aws/cloudwatch.h"
#include "cloud/cloud.h"

namespace hive::cloud::aws {

inline constexpr std::chrono::seconds kSettles{120};
inline constexpr std::chrono::minutes kFiguresWindow{8};  // that is asked for

// One call, charged by each figure and one more. Nothing is asked when `which` is empty. Errors as
// in client.h.
Result<BalancerFigures> balancer_figures(Client& client, const std::string& balancer,
                                         const std::set<BalancerFigure>& which);

// Its two halves. Pure.
std::vector<MetricQuery> figure_queries(const std::string& balancer,
                                        const std::set<BalancerFigure>& which);
BalancerFigures read_figures(const std::map<std::string, MetricSeries>& told,
                             const std::set<BalancerFigure>& which, WallTime now);

}  // namespace hive::cloud::aws
