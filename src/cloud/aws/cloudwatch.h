// What CloudWatch has measured. Errors as in client.h.
// Source: Amazon CloudWatch API Reference, 2010-08-01, GetMetricData.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/aws/client.h"

namespace hive::cloud::aws {

struct MetricQuery {
  std::string id;  // a lower-case letter first; names the answer
  std::string metric_namespace;
  std::string name;
  std::map<std::string, std::string> dimensions;
  std::string statistic;  // "Sum", "Average", "Maximum", "p99"
  std::uint32_t period_s = 60;
};
struct MetricPoint {
  WallTime at;  // the beginning of its period
  double value = 0;
};
struct MetricSeries {
  std::vector<MetricPoint> points;  // oldest first, one a period at most
  // All that CloudWatch has of the time. Otherwise a period without a point says nothing.
  bool complete = false;
  std::string trouble;  // why it is not, in CloudWatch's words
};

// By the queries' ids, each of them. At most 500 queries, each of which is charged. CloudWatch is a
// minute or more late: look at the points' times. What it says of one series spoils no other;
// kCorrupt for values that are no finite numbers.
Result<std::map<std::string, MetricSeries>> get_metric_data(Client& client,
                                                            const std::vector<MetricQuery>& queries,
                                                            WallTime from, WallTime to);

}  // namespace hive::cloud::aws
