// Who calls, what CloudWatch has measured, and SSM's parameters. Errors as in client.h.
// Sources: STS API Reference 2011-06-15; CloudWatch 2010-08-01; AWS Systems Manager.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/aws/client.h"
#include "os/secret.h"

namespace hive::cloud::aws {

struct Identity {
  std::string account;  // "123456789012"
  std::string arn;
};
Result<Identity> get_caller_identity(Client& client);

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
// By the queries' ids; oldest first. CloudWatch is a minute or more late: look at the points'
// times.
Result<std::map<std::string, std::vector<MetricPoint>>> get_metric_data(
    Client& client, const std::vector<MetricQuery>& queries, WallTime from, WallTime to);

// SecureString parameters: their values are secrets.
enum class Overwrite { kAlways, kNever };
// kAlreadyExists when it is there and must not be overwritten.
Status put_parameter(Client& client, const std::string& name, const os::Secret& value,
                     Overwrite overwrite = Overwrite::kAlways);
Result<os::Secret> get_parameter(Client& client, const std::string& name);
Status delete_parameter(Client& client, const std::string& name);

}  // namespace hive::cloud::aws
