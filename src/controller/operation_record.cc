#include "controller/operation_record.h"

#include <algorithm>

#include "base/base64.h"

namespace hive::controller {
namespace {

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::string> bounded(std::string text, const char* what) {
  if (text.size() <= kMaxOperationBytes) return text;
  return fail(Errc::kResourceExhausted, std::string(what) + " of the operation is larger than " +
                                            std::to_string(kMaxOperationBytes) + " bytes");
}

std::string config_label(const Json& config, const char* name) {
  const Json* labels = json_path(config, "Spec.Labels");
  const Json* label = labels == nullptr ? nullptr : json_member(*labels, name);
  return label != nullptr && label->is_string() ? label->get<std::string>() : std::string();
}

Json member_or_null(const Json& object, const char* name) {
  const Json* member = json_member(object, name);
  return member == nullptr ? Json() : *member;
}

}  // namespace

Status check_operation_id(const std::string& id) {
  const bool fits = !id.empty() && id.size() <= 48 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
  if (fits) return {};
  return fail(Errc::kInvalidArgument,
              "'" + id + "' is no id of an operation: 1 to 48 letters, digits, '-', '.', '_'");
}

Result<Json> config_spec_of(const OperationRecord& record) {
  const Json data{{"kind", record.kind},
                  {"by", record.by},
                  {"subject", record.subject},
                  {"request", record.request},
                  {"created_unix_ms", record.created_unix_ms}};
  const Json state{{"state", record.state},
                   {"outcome", to_string(record.outcome)},
                   {"result", record.result},
                   {"finished_unix_ms", record.finished_unix_ms}};
  HIVE_ASSIGN(const std::string request_text, bounded(dump(data), "the request"));
  HIVE_ASSIGN(const std::string state_text, bounded(dump(state), "the state"));
  Json labels{{kOperationLabel, record.kind}, {kOperationStateLabel, state_text}};
  if (record.cancelled) labels[kOperationCancelLabel] = "true";
  return Json{{"Name", kOperationPrefix + record.id},
              {"Labels", std::move(labels)},
              {"Data", base64_encode(request_text)}};
}

Result<OperationRecord> operation_from_config(const Json& config) {
  const std::string name = json_string(config, "Spec.Name");
  const std::string where = "config " + name;
  if (!name.starts_with(kOperationPrefix))
    return fail(Errc::kCorrupt, where + " is not an operation's");
  HIVE_ASSIGN(const std::string text, base64_decode(json_string(config, "Spec.Data")));
  HIVE_ASSIGN(const Json data, parse_json(text, where));
  OperationRecord out;
  out.id = name.substr(std::string_view(kOperationPrefix).size());
  out.kind = json_string(data, "kind");
  out.by = json_string(data, "by");
  out.subject = json_string(data, "subject");
  out.request = member_or_null(data, "request");
  out.created_unix_ms = json_int(data, "created_unix_ms");
  out.config_id = json_string(config, "ID");
  out.version = static_cast<std::uint64_t>(json_int(config, "Version.Index"));
  out.cancelled = config_label(config, kOperationCancelLabel) == "true";
  const std::string state_text = config_label(config, kOperationStateLabel);
  HIVE_ASSIGN(const Json state, parse_json(state_text.empty() ? "{}" : state_text, where));
  out.state = member_or_null(state, "state");
  out.outcome = outcome_from(json_string(state, "outcome"));
  out.result = json_string(state, "result");
  out.finished_unix_ms = json_int(state, "finished_unix_ms");
  return out;
}

Json operation_json(const OperationRecord& record, const OperationProgress& progress,
                    const std::string& trouble, std::int64_t now_unix_ms) {
  const bool running = record.outcome == OperationOutcome::kRunning;
  const auto until = running ? now_unix_ms : record.finished_unix_ms;
  return {{"id", record.id},
          {"kind", record.kind},
          {"by", record.by},
          {"subject", record.subject},
          {"request", record.request},
          {"created_unix_ms", record.created_unix_ms},
          {"outcome", to_string(record.outcome)},
          {"result", record.result},
          {"cancelled", record.cancelled},
          {"duration_ms", std::max<std::int64_t>(0, until - record.created_unix_ms)},
          {"done", progress.done},
          {"of", progress.of},
          {"doing", running ? progress.doing : std::string()},
          {"trouble", running ? trouble : std::string()}};
}

}  // namespace hive::controller
