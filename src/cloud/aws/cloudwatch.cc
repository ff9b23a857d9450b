#include "cloud/aws/cloudwatch.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>

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

Result<double> read_value(const std::string& text) {
  double out = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, out);
  if (text.empty() || error != std::errc() || end != last || !std::isfinite(out))
    return fail(Errc::kCorrupt, "cloudwatch GetMetricData: a value is no finite number");
  return out;
}

Status read_points(const Element& result, std::vector<MetricPoint>& out) {
  const auto times = result.list_at("Timestamps");
  const auto values = result.list_at("Values");
  if (times.size() != values.size())
    return fail(Errc::kCorrupt, "cloudwatch GetMetricData: times and values do not pair");
  for (std::size_t i = 0; i < times.size(); ++i) {
    HIVE_ASSIGN(const auto at, parse_time(times[i]->text));
    HIVE_ASSIGN(const double value, read_value(values[i]->text));
    out.push_back({at, value});
  }
  return {};
}

// "PartialData: words", of a result or of the whole call.
std::string messages_in(const Element& from) {
  std::string out;
  for (const Element* one : from.list_at("Messages"))
    out += (out.empty() ? "" : "; ") + one->text_at("Code") + ": " + one->text_at("Value");
  return out;
}

// A series may go on on the next page, whose word is then the last.
Status read_result(const Element& result, MetricSeries& out) {
  HIVE_TRY(read_points(result, out.points));
  const std::string status = result.text_at("StatusCode");
  out.complete = status == "Complete";
  out.trouble = out.complete ? "" : "CloudWatch says " + (status.empty() ? "nothing" : status);
  if (const auto words = messages_in(result); !words.empty() && !out.complete)
    out.trouble += " (" + words + ")";
  return {};
}

void put_in_order(std::vector<MetricPoint>& points) {
  std::stable_sort(points.begin(), points.end(),
                   [](const MetricPoint& a, const MetricPoint& b) { return a.at < b.at; });
  points.erase(std::unique(points.begin(), points.end(),
                           [](const MetricPoint& a, const MetricPoint& b) { return a.at == b.at; }),
               points.end());
}

}  // namespace

Result<std::map<std::string, MetricSeries>> get_metric_data(Client& client,
                                                            const std::vector<MetricQuery>& queries,
                                                            WallTime from, WallTime to) {
  Form form;
  form.set("StartTime", iso_time(from)).set("EndTime", iso_time(to));
  form.set("ScanBy", "TimestampAscending");
  std::map<std::string, MetricSeries> out;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    put_query(form, i, queries[i]);
    out[queries[i].id].trouble = "CloudWatch's answer does not have it";
  }
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kGetMetricData, form));
  std::string words;  // of the call: what of it was not done is not said
  for (const auto& page : pages) {
    if (words.empty()) words = messages_in(page);
    for (const Element* result : page.list_at("MetricDataResults"))
      HIVE_TRY(read_result(*result, out[result->text_at("Id")]));
  }
  for (auto& [id, series] : out) {
    put_in_order(series.points);
    if (words.empty()) continue;
    series.complete = false;
    series.trouble = "CloudWatch says " + words;
  }
  return out;
}

}  // namespace hive::cloud::aws
