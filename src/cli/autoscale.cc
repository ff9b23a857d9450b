// hive autoscale: what the autoscaler sees, does and why; and taking the number from it and back.
#include <fmt/core.h>

#include <ctime>
#include <memory>
#include <set>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/controller_api.h"
#include "cli/listing.h"
#include "cli/look.h"
#include "cli/operation_client.h"

namespace hive::cli {
namespace {

constexpr std::size_t kReasonWidth = 80;

// "3" or "2.9".
std::string figure(double value) { return fmt::format("{:.3g}", value); }

double number_at(const Json& json, const char* key) {
  const Json* value = json_member(json, key);
  return value != nullptr && value->is_number() ? value->get<double>() : 0;
}

// All that are autoscaled, as the controller that acts knows them.
Result<Json> read_all(engine::Engine& engine) {
  HIVE_ASSIGN(const auto addresses, manager_addresses(engine));
  HIVE_ASSIGN(Json all, ask_controller(addresses, "/v1/autoscale"));
  if (!all.is_array()) return fail(Errc::kCorrupt, "the controller's list is no list");
  return all;
}

Result<Json> one_of(const Json& all, const model::Service& service) {
  for (const Json& one : all)
    if (json_string(one, "id") == service.id) return one;
  return fail(Errc::kNotFound, "service " + service.name +
                                   " is not autoscaled: its Compose file gives it no "
                                   "x-hive.autoscale, or it was deployed a moment ago");
}

// Those that are named, or all.
Result<std::vector<Json>> choose_services(engine::Engine& engine,
                                          const std::vector<std::string>& words) {
  HIVE_ASSIGN(const Json all, read_all(engine));
  std::vector<Json> out;
  if (words.empty()) out.assign(all.begin(), all.end());
  for (const auto& word : words) {
    HIVE_ASSIGN(const auto service, find_service(engine, word));
    HIVE_ASSIGN(out.emplace_back(), one_of(all, service));
  }
  return out;
}

// --- workers, where they follow

// One line; empty where they do not follow, or the controller is of a version that does not say.
std::string workers_line(engine::Engine& engine) {
  const auto addresses = manager_addresses(engine);
  if (!addresses) return "";
  const auto told = ask_controller(*addresses, "/v1/workers");
  if (!told || !json_bool(*told, "follow")) return "";
  const Json coming = told->value("coming", Json::array());
  std::string text = fmt::format("{} (of {} to {})", json_int(*told, "workers"),
                                 json_int(*told, "min"), json_int(*told, "max"));
  const auto on_the_way = static_cast<std::int64_t>(coming.size()) + json_int(*told, "asked_for");
  if (on_the_way > 0) text += fmt::format(", {} on the way", on_the_way);
  if (const auto leaving = json_string(*told, "leaving"); !leaving.empty())
    text += ", " + leaving + " is emptied";
  text += ": " + json_string(*told, "reason");
  for (const Json& one : told->value("impossible", Json::array()))
    text += "; " + one.get<std::string>();
  if (const auto trouble = json_string(*told, "trouble"); !trouble.empty())
    text += "; trouble: " + trouble;
  return text;
}

// --- status

struct StatusArgs {
  ListOptions list;
  std::vector<std::string> words;
};

std::string ready_of(const Json& one) {
  return fmt::format("{}/{}", json_int(one, "ready"), json_int(one, "replicas"));
}

int status(Context& context, const StatusArgs& args) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto chosen = choose_services(**engine, args.words);
  if (!chosen) return context.fail(chosen.error());
  std::vector<Row> rows;
  for (const Json& one : *chosen)
    rows.push_back(
        {json_string(one, "service"),
         {json_string(one, "service"), ready_of(one), std::to_string(json_int(one, "min")),
          std::to_string(json_int(one, "max")), std::to_string(json_int(one, "wanted")),
          json_string(one, "state"), figure(number_at(one, "load")),
          shorten(json_string(one, "reason"), kReasonWidth, args.list.no_trunc)},
         one});
  const int code = print_listing(
      context, args.list,
      {"SERVICE", "REPLICAS", "MIN", "MAX", "WANTED", "STATE", "LOAD", "REASON"}, rows);
  if (code != kExitOk || args.list.format == "json" || args.list.quiet) return code;
  if (const auto workers = workers_line(**engine); !workers.empty())
    context.line("Workers: " + workers);
  return code;
}

Command status_one() {
  return {.name = "status",
          .summary = "Each autoscaled service: its size, its load, and why",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<StatusArgs>();
            declare_list(declare, args->list, false);
            declare.some("SERVICE", &args->words, "Services; all when none is named",
                         ValueKind::kService, false);
            return [args](Context& context) { return status(context, *args); };
          },
          .aliases = {"ls"}};
}

// --- explain

struct ExplainArgs {
  std::vector<std::string> words;
  std::optional<std::string> format;
};

std::string signal_line(const Json& signals, const char* key, const char* name, double factor,
                        const char* unit) {
  const Json* signal = json_member(signals, key);
  const Json* value = signal == nullptr ? nullptr : json_member(*signal, "value");
  if (value == nullptr || !value->is_number()) return fmt::format("  {:<12} not known", name);
  const bool fresh = json_bool(*signal, "fresh");
  return fmt::format("  {:<12} {}{}, {:.1f} s ago{}", name, figure(value->get<double>() * factor),
                     unit, number_at(*signal, "age_s"), fresh ? "" : ": too old to count");
}

std::string metric_line(const Json& metric) {
  const Json one{{"metric", metric}};
  const bool limit = json_member(metric, "at_most_s") != nullptr;
  std::string text = signal_line(one, "metric", json_string(metric, "name").c_str(),
                                 limit ? 1'000 : 1, limit ? " ms" : "");
  if (limit)
    text += fmt::format(" (at most {} ms)", figure(number_at(metric, "at_most_s") * 1'000));
  else if (json_member(metric, "one_more_per") != nullptr)
    text +=
        fmt::format(" (one more replica for each {})", figure(number_at(metric, "one_more_per")));
  else
    text += fmt::format(" ({} a replica)", figure(number_at(metric, "per_replica")));
  if (const auto trouble = json_string(metric, "trouble"); !trouble.empty()) text += ": " + trouble;
  return text;
}

std::string bounds_line(const Json& one) {
  const Json policy = one.value("policy", Json::object());
  std::string text = fmt::format("{} to {} replicas", json_int(one, "min"), json_int(one, "max"));
  if (json_bool(one, "scheduled"))
    text += fmt::format(", by a schedule (otherwise {} to {})", json_int(policy, "min"),
                        json_int(policy, "max"));
  return text;
}

// Of one kind: by the policy's target, as learned, or nothing.
std::string carries(const Json& one, const char* key, const char* target, const char* unit) {
  const double value = number_at(one, key);
  if (value <= 0) return "";
  const Json* given = json_path(one, std::string("policy.target.") + target);
  const bool by_target = given != nullptr && given->is_number();
  return fmt::format("{} {} a replica, {}", figure(value), unit,
                     by_target ? "by the policy's target" : "as learned");
}

std::string capacity_line(const Json& one) {
  const auto requests = carries(one, "capacity", "requests_per_replica", "requests/s");
  const auto open = carries(one, "concurrency", "concurrency", "open requests");
  if (requests.empty() && open.empty())
    return "not known: no target of requests, and it has not served for long enough";
  return requests + (requests.empty() || open.empty() ? "" : "; ") + open;
}

void explain_one(Context& context, const Json& one, const std::string& workers) {
  const auto row = [&](const char* name, const std::string& text) {
    context.line(fmt::format("{:<11}{}", name, text));
  };
  row("Service:", json_string(one, "service"));
  row("State:", json_string(one, "state"));
  if (const auto why = json_string(one, "paused"); !why.empty()) row("Paused:", why);
  std::string replicas =
      fmt::format("{} ordered, {} serve", json_int(one, "replicas"), json_int(one, "ready"));
  if (json_int(one, "unplaced") > 0)
    replicas += fmt::format(", {} find no node with room", json_int(one, "unplaced"));
  if (json_int(one, "waiting") > 0)
    replicas += fmt::format(", {} more once workers have joined", json_int(one, "waiting"));
  row("Replicas:", replicas);
  row("Bounds:", bounds_line(one));
  row("Load:", fmt::format("{} replicas' worth now, {} expected when a new one can serve",
                           figure(number_at(one, "load")), figure(number_at(one, "expected"))));
  row("Capacity:", capacity_line(one));
  row("Lead time:",
      fmt::format("{} s from an order to its serving, {}", figure(number_at(one, "lead_s")),
                  json_bool(one, "lead_measured") ? "as measured here" : "until one was measured"));
  row("Decision:", json_string(one, "reason"));
  if (!workers.empty()) row("Workers:", workers);
  if (const auto trouble = json_string(one, "trouble"); !trouble.empty()) row("Trouble:", trouble);
  for (const Json& trouble : one.value("zone_troubles", Json::array()))
    row("Trouble:", trouble.get<std::string>());
  const Json signals = one.value("signals", Json::object());
  context.line("Signals:");
  context.line(signal_line(signals, "requests", "requests", 1, " a second"));
  context.line(signal_line(signals, "in_flight", "in flight", 1, " requests"));
  context.line(signal_line(signals, "latency_s", "answers take", 1'000, " ms"));
  context.line(signal_line(signals, "cpu", "CPU", 100, "% of a replica's"));
  context.line(signal_line(signals, "memory", "memory", 100, "% of a replica's"));
  for (const Json& metric : signals.value("metrics", Json::array()))
    context.line(metric_line(metric));
  if (json_bool(signals, "partial"))
    context.line(
        "  an edge is silent, or a metric is not known: it is at least this, and none is taken "
        "away");
}

int explain(Context& context, const ExplainArgs& args) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  const auto chosen = choose_services(**engine, args.words);
  if (!chosen) return context.fail(chosen.error());
  if (args.format == "json")
    context.line(chosen->front().dump(2));
  else
    explain_one(context, chosen->front(), workers_line(**engine));
  return kExitOk;
}

Command explain_command() {
  return {.name = "explain",
          .summary = "One service: signals, load, capacity, bounds, and the decision's reason",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<ExplainArgs>();
            declare_format(declare, &args->format);
            declare.one("SERVICE", &args->words, "Service", ValueKind::kService);
            return [args](Context& context) { return explain(context, *args); };
          }};
}

// --- history

struct DecisionsArgs {
  ListOptions list;
  std::vector<std::string> words;
};

// "autoscale_called_off" -> "called off".
std::string what_of(const std::string& kind) {
  std::string out = kind.starts_with("autoscale_") ? kind.substr(10) : kind;
  for (char& c : out)
    if (c == '_') c = ' ';
  return out;
}

std::string when(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1'000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &parts);
  return stamp;
}

int print_decisions(Context& context, const DecisionsArgs& args) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  std::set<std::string> names;
  for (const auto& word : args.words) {
    const auto service = find_service(**engine, word);
    if (!service) return context.fail(service.error());
    names.insert(service->name);
  }
  std::string path = "/v1/events?kind=autoscale&limit=1000";
  if (names.size() == 1) path += "&subject=" + *names.begin();
  const auto addresses = manager_addresses(**engine);
  if (!addresses) return context.fail(addresses.error());
  const auto events = ask_controller(*addresses, path);
  if (!events) return context.fail(events.error());
  std::vector<Row> rows;
  for (auto event = events->rbegin(); event != events->rend(); ++event) {
    if (!names.empty() && !names.contains(json_string(*event, "subject"))) continue;
    rows.push_back({std::to_string(json_int(*event, "id")),
                    {when(json_int(*event, "unix_ms")), json_string(*event, "subject"),
                     what_of(json_string(*event, "kind")), json_string(*event, "reason")},
                    *event});
  }
  return print_listing(context, args.list, {"TIME", "SERVICE", "WHAT", "REASON"}, rows);
}

Command history_command() {
  return {.name = "history",
          .summary = "What the autoscaler did, or would have done, newest first",
          .declare = [](Declare& declare) -> Action {
            auto args = std::make_shared<DecisionsArgs>();
            declare_list(declare, args->list, false);
            declare.some("SERVICE", &args->words, "Services; all when none is named",
                         ValueKind::kService, false);
            return [args](Context& context) { return print_decisions(context, *args); };
          }};
}

// --- pause, resume

struct PauseArgs {
  std::vector<std::string> services;
  std::optional<std::string> reason;
  OperationWaitFlags wait;
};

int set_paused(Context& context, const PauseArgs& args, bool paused) {
  const auto options = operation_wait(args.wait);
  if (!options) return context.fail(kExitUsage, options.error().message);
  auto client = OperationClient::reach(context);
  if (!client) return context.fail(client.error());
  int code = kExitOk;
  for (const auto& word : args.services) {
    Json request{{"service", word}, {"paused", paused}};
    if (args.reason) request["reason"] = *args.reason;
    const auto begun = client->begin(context, "autoscale", request, word);
    if (!begun) {
      code = context.fail(begun.error());
      continue;
    }
    const int waited = client->wait(context, {*begun}, *options);
    if (waited == kExitInterrupted) return waited;
    if (waited != kExitOk) code = waited;
  }
  return code;
}

Command set_paused_command(bool paused) {
  return {.name = paused ? "pause" : "resume",
          .summary = paused ? "Leave services at the number of replicas that they have"
                            : "Let the policy decide again how many replicas services have",
          .declare = [paused](Declare& declare) -> Action {
            auto args = std::make_shared<PauseArgs>();
            declare.text("--reason", "TEXT", &args->reason, "Why, for the history");
            declare_operation_wait(declare, args->wait);
            declare.some("SERVICE", &args->services, "Services", ValueKind::kService);
            return [args, paused](Context& context) { return set_paused(context, *args, paused); };
          }};
}

}  // namespace

Command autoscale_command() {
  return {.name = "autoscale",
          .summary = "Services whose replicas follow the load",
          .children = {status_one(), explain_command(), history_command(), set_paused_command(true),
                       set_paused_command(false)}};
}

}  // namespace hive::cli
