// service create, scale: what makes a service and its tasks, and the wait for it.
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/context.h"
#include "cli/converge.h"
#include "cli/look.h"
#include "cli/operation_client.h"
#include "cli/service.h"
#include "cli/service_flags.h"
#include "cli/service_resolve.h"

namespace hive::cli {
namespace {

struct WaitArgs {
  bool detach = false;
  bool quiet = false;
  std::optional<std::string> timeout;
};

void declare_wait(Declare& declare, WaitArgs& args) {
  declare.flag("-d,--detach", &args.detach, "Do not wait until the tasks run");
  declare.flag("-q,--quiet", &args.quiet, "No progress");
  declare.text("--timeout", "DURATION", &args.timeout,
               "Give up waiting after this time, with exit code 3 (default: never)");
}

int wait_for(Context& context, engine::Engine& engine, const std::vector<std::string>& ids,
             const WaitArgs& args, Milliseconds verify) {
  if (args.detach) return kExitOk;
  ConvergeOptions options{.verify = verify, .quiet = args.quiet};
  if (args.timeout) {
    const auto timeout = parse_duration(*args.timeout);
    if (!timeout) return context.fail(kExitUsage, "--timeout: " + timeout.error().message);
    options.deadline = std::chrono::duration_cast<Milliseconds>(*timeout);
  }
  catch_interrupts();
  const auto done = wait_converged(context, engine, ids, options);
  if (done) return kExitOk;
  return context.fail_wait(done.error());
}

void print_warnings(Context& context, const engine::ServiceWriteResult& result) {
  for (const auto& warning : result.warnings) context.note("hive: warning: " + warning);
}

int create_service(Context& context, const ServiceFlags& flags,
                   const std::vector<std::string>& words, const WaitArgs& wait) {
  auto spec = new_service_spec(flags, words);
  if (!spec) return context.fail(spec.error());
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  if (const auto resolved = resolve_references(**engine, *spec); !resolved)
    return context.fail(resolved.error());
  if (const auto told = choose_endpoint_mode(*spec); !told.empty()) context.note("hive: " + told);
  engine::ServiceWriteOptions options;
  options.auth = auth_for_image(context.globals, words.front());
  options.query_registry = !flags.flag("--no-resolve-image");
  const auto created = (*engine)->create_service(*spec, options);
  if (!created) return context.fail(annotate(created.error(), "creating the service").value());
  print_warnings(context, *created);
  context.line(created->id);
  return wait_for(context, **engine, {created->id}, wait, verify_period(*spec));
}

struct ScaleTarget {
  std::string name;
  std::uint64_t replicas = 0;
};

Result<ScaleTarget> parse_scale(const std::string& word) {
  const auto equals = word.rfind('=');
  const std::string count = equals == std::string::npos ? "" : word.substr(equals + 1);
  const bool digits =
      !count.empty() && count.size() < 7 &&
      std::all_of(count.begin(), count.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || equals == 0)
    return fail(Errc::kInvalidArgument,
                "'" + word + "' is not SERVICE=REPLICAS, with a whole number from 0 on");
  return ScaleTarget{word.substr(0, equals), std::stoull(count)};
}

Result<bool> set_replicas(Json& spec, std::uint64_t replicas) {
  if (!spec["Mode"].contains("Replicated"))
    return fail(Errc::kInvalidArgument,
                "it is global, one task on every node; only a replicated service can be scaled");
  Json& mode = spec["Mode"]["Replicated"];
  if (!mode.is_object()) mode = Json::object();
  if (json_int(mode, "Replicas", -1) == static_cast<std::int64_t>(replicas)) return false;
  mode["Replicas"] = replicas;
  return true;
}

// By Swarm alone, where no controller of hive's can be asked.
int scale_plainly(Context& context, const std::vector<ScaleTarget>& targets, const WaitArgs& wait) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  int code = kExitOk;
  std::vector<std::string> ids;
  for (const auto& target : targets) {
    const auto done = find_service(**engine, target.name).and_then([&](const model::Service& s) {
      ids.push_back(s.id);
      return engine::modify_service(**engine, s.id,
                                    [&](Json& spec) { return set_replicas(spec, target.replicas); },
                                    {.registry_auth_from = "spec"});
    });
    if (done) {
      context.line(target.name + " scaled to " + std::to_string(target.replicas));
    } else {
      code = context.fail(annotate(done.error(), target.name).value());
    }
  }
  if (ids.empty()) return code;
  const int waited = wait_for(context, **engine, ids, wait, Milliseconds(5'000));
  return code == kExitOk ? waited : code;
}

Result<BegunOperation> begin_scale(Context& context, engine::Engine& engine,
                                   OperationClient& client, const ScaleTarget& target) {
  HIVE_ASSIGN(const auto service, find_service(engine, target.name));
  return client.begin(context, "scale", {{"service", service.id}, {"replicas", target.replicas}},
                      target.name);
}

int scale(Context& context, const std::vector<std::string>& words, const WaitArgs& wait) {
  std::vector<ScaleTarget> targets;
  for (const auto& word : words) {
    auto target = parse_scale(word);
    if (!target) return context.fail(target.error());
    targets.push_back(std::move(*target));
  }
  const auto options = operation_wait({wait.detach, wait.quiet, wait.timeout});
  if (!options) return context.fail(kExitUsage, options.error().message);
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  auto client = OperationClient::reach(context);
  if (!client) {
    context.note("hive: " + client.error().message +
                 ": Swarm itself chooses the tasks that go, and what they have in flight is cut "
                 "off");
    return scale_plainly(context, targets, wait);
  }
  int code = kExitOk;
  std::vector<BegunOperation> begun;
  for (const auto& target : targets) {
    auto one = begin_scale(context, **engine, *client, target);
    if (one) {
      context.line(target.name + " scaled to " + std::to_string(target.replicas));
      begun.push_back(std::move(*one));
    } else {
      code = context.fail(annotate(one.error(), target.name).value());
    }
  }
  const int waited = client->wait(context, begun, *options);
  return code == kExitOk ? waited : code;
}

}  // namespace

Command service_create_command() {
  return {
      .name = "create", .summary = "Create a service", .declare = [](Declare& declare) -> Action {
        auto flags = std::make_shared<ServiceFlags>();
        auto wait = std::make_shared<WaitArgs>();
        auto words = std::make_shared<std::vector<std::string>>();
        declare_service_flags(declare, *flags, true);
        declare_wait(declare, *wait);
        declare.rest({.names = "IMAGE [COMMAND] [ARG...]",
                      .help = "Image, and what to run in it",
                      .required = true},
                     words.get());
        return [flags, wait, words](Context& context) {
          return create_service(context, *flags, *words, *wait);
        };
      }};
}

Command service_scale_command() {
  return {.name = "scale",
          .summary = "Set the number of tasks of services",
          .declare = [](Declare& declare) -> Action {
            auto wait = std::make_shared<WaitArgs>();
            auto words = std::make_shared<std::vector<std::string>>();
            declare_wait(declare, *wait);
            declare.some("SERVICE=REPLICAS", words.get(), "Services and numbers",
                         ValueKind::kService);
            return [wait, words](Context& context) { return scale(context, *words, *wait); };
          }};
}

}  // namespace hive::cli
