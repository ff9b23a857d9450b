#include "cloud/aws/account.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "cloud/aws/ec2_forms.h"

namespace hive::cloud::aws {
namespace {

std::string iso_time(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char out[32];
  std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return out;
}

void put_query(Form& form, std::size_t index, const MetricQuery& query) {
  const std::string at = nth("MetricDataQueries.member", index);
  form.set(at + ".Id", query.id);
  form.set(at + ".MetricStat.Metric.Namespace", query.metric_namespace);
  form.set(at + ".MetricStat.Metric.MetricName", query.name);
  std::size_t i = 0;
  for (const auto& [name, value] : query.dimensions) {
    const std::string dimension = nth(at + ".MetricStat.Metric.Dimensions.member", i++);
    form.set(dimension + ".Name", name).set(dimension + ".Value", value);
  }
  form.set(at + ".MetricStat.Period", query.period_s);
  form.set(at + ".MetricStat.Stat", query.statistic);
}

Status read_points(const Element& result, std::vector<MetricPoint>& out) {
  const auto times = result.list_at("Timestamps");
  const auto values = result.list_at("Values");
  if (times.size() != values.size())
    return fail(Errc::kCorrupt, "cloudwatch GetMetricData: times and values do not pair");
  for (std::size_t i = 0; i < times.size(); ++i) {
    HIVE_ASSIGN(const auto at, parse_time(times[i]->text));
    out.push_back({at, std::strtod(values[i]->text.c_str(), nullptr)});
  }
  return {};
}

}  // namespace

Result<Identity> get_caller_identity(Client& client) {
  HIVE_ASSIGN(const auto answer, client.query(Op::kGetCallerIdentity));
  HIVE_ASSIGN(auto account, text_or_corrupt(answer, "Account"));
  return Identity{.account = std::move(account), .arn = answer.text_at("Arn")};
}

Result<std::map<std::string, std::vector<MetricPoint>>> get_metric_data(
    Client& client, const std::vector<MetricQuery>& queries, WallTime from, WallTime to) {
  Form form;
  form.set("StartTime", iso_time(from)).set("EndTime", iso_time(to));
  form.set("ScanBy", "TimestampAscending");
  for (std::size_t i = 0; i < queries.size(); ++i) put_query(form, i, queries[i]);
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kGetMetricData, form));
  std::map<std::string, std::vector<MetricPoint>> out;
  for (const auto& page : pages)
    for (const Element* result : page.list_at("MetricDataResults"))
      HIVE_TRY(read_points(*result, out[result->text_at("Id")]));
  for (auto& [id, points] : out)
    std::sort(points.begin(), points.end(),
              [](const MetricPoint& a, const MetricPoint& b) { return a.at < b.at; });
  return out;
}

Status put_parameter(Client& client, const std::string& name, const os::Secret& value,
                     Overwrite overwrite) {
  HIVE_TRY(client.json(Op::kPutParameter, {{"Name", name},
                                           {"Value", value.reveal()},
                                           {"Type", "SecureString"},
                                           {"Overwrite", overwrite == Overwrite::kAlways}}));
  return {};
}

Result<os::Secret> get_parameter(Client& client, const std::string& name) {
  HIVE_ASSIGN(const auto answer,
              client.json(Op::kGetParameter, {{"Name", name}, {"WithDecryption", true}}));
  if (json_path(answer, "Parameter.Value") == nullptr)
    return fail(Errc::kCorrupt, "ssm GetParameter: the answer has no value");
  return os::Secret(json_string(answer, "Parameter.Value"));
}

Status delete_parameter(Client& client, const std::string& name) {
  HIVE_TRY(client.json(Op::kDeleteParameter, {{"Name", name}}));
  return {};
}

}  // namespace hive::cloud::aws
