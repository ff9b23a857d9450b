#include "cli/service_rollout.h"

#include <charconv>

#include "base/text.h"
#include "cli/context.h"
#include "cli/converge.h"
#include "release/history.h"

namespace hive::cli {
namespace {

Result<std::int64_t> whole_up_to(const std::string& flag, const std::string& text,
                                 std::int64_t most) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size() && number >= 1 &&
      number <= most)
    return number;
  return fail(Errc::kInvalidArgument,
              flag + " is '" + text + "': it must be a whole number, 1 to " + std::to_string(most));
}

std::string without_percent(std::string text) {
  if (!text.empty() && text.back() == '%') text.pop_back();
  return text;
}

Status add_canary(const CanaryFlags& flags, Json& request) {
  if (!flags.time && (flags.weight || flags.replicas))
    return fail(Errc::kInvalidArgument,
                "--canary-weight and --canary-replicas need --canary DURATION");
  if (!flags.time) return {};
  const auto time = parse_duration(*flags.time);
  if (!time) return annotate(time.error(), "--canary");
  request["canary_ms"] = std::chrono::duration_cast<Milliseconds>(*time).count();
  if (flags.weight) {
    HIVE_ASSIGN(const auto percent,
                whole_up_to("--canary-weight", without_percent(*flags.weight), 100));
    request["canary_weight"] = percent;
  }
  if (flags.replicas) {
    HIVE_ASSIGN(const auto replicas, whole_up_to("--canary-replicas", *flags.replicas, 1'000));
    request["canary_replicas"] = replicas;
  }
  return {};
}

std::string digest_hex(const Json& spec) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::uint64_t digest = engine::digest(release::essence(spec));
  std::string out(16, '0');
  for (std::size_t i = out.size(); i-- > 0; digest >>= 4U) out[i] = kDigits[digest & 15U];
  return out;
}

Json request_of(const Rollout& rollout) {
  Json request{{"service", rollout.service},       {"spec", rollout.wanted},
               {"base", digest_hex(rollout.base)}, {"replicas", rollout.replicas},
               {"resolve", rollout.resolve},       {"why", rollout.why}};
  if (!rollout.auth.empty())
    request["auth"] = {{"username", rollout.auth.username},
                       {"password", rollout.auth.password},
                       {"serveraddress", rollout.auth.server_address},
                       {"identitytoken", rollout.auth.identity_token}};
  return request;
}

// Nothing but the number of tasks: a matter of choosing which ones go, not of versions.
bool only_replicas(const Rollout& rollout) {
  if (!rollout.replicas || json_path(rollout.wanted, "Mode.Replicated.Replicas") == nullptr)
    return false;
  Json same = rollout.wanted;
  same["Mode"] = rollout.base.value("Mode", Json());
  return same == rollout.base;
}

Result<BegunOperation> begin(Context& context, OperationClient& client, const Rollout& rollout,
                             const Json& request) {
  if (only_replicas(rollout))
    return client.begin(context, "scale",
                        {{"service", rollout.service},
                         {"replicas", json_int(rollout.wanted, "Mode.Replicated.Replicas")}},
                        rollout.label);
  return client.begin(context, "rollout", request, rollout.label);
}

// Swarm's own updater, watched as docker's client does it.
int by_hand(Context& context, const Rollout& rollout, const OperationWait& wait) {
  auto engine = context.engine();
  if (!engine) return context.fail(engine.error());
  engine::ServiceWriteOptions options;
  options.auth = rollout.auth;
  options.query_registry = rollout.resolve;
  if (options.auth.empty()) options.registry_auth_from = "spec";
  const auto written = engine::modify_service(
      **engine, rollout.service,
      [&](Json& spec) -> Result<bool> {
        const bool same = release::essence(spec) == release::essence(rollout.base);
        if (!same) return fail(Errc::kConflict, "it was changed by somebody else meanwhile");
        Json wanted = rollout.wanted;
        if (!rollout.replicas && spec.contains("Mode")) wanted["Mode"] = spec["Mode"];
        if (wanted == spec) return false;
        spec = std::move(wanted);
        return true;
      },
      options);
  if (!written)
    return context.fail(annotate(written.error(), "updating service " + rollout.name).value());
  for (const auto& warning : written->warnings) context.note("hive: warning: " + warning);
  context.line(rollout.word);
  if (wait.detach) return kExitOk;
  catch_interrupts();
  const auto done = wait_converged(
      context, **engine, {rollout.service},
      {.verify = verify_period(rollout.wanted), .deadline = wait.deadline, .quiet = wait.quiet});
  return done ? kExitOk : context.fail_wait(done.error());
}

}  // namespace

void declare_canary(Declare& declare, CanaryFlags& flags) {
  declare.text("--canary", "DURATION", &flags.time,
               "Watch a canary for so long before the rest is replaced; 0s: none, whatever "
               "x-hive.rollout says");
  declare.text("--canary-weight", "PERCENT", &flags.weight,
               "Share of the requests that go to the canary (default: 10)");
  declare.text("--canary-replicas", "NUMBER", &flags.replicas,
               "So many tasks are the canary (default: 1)");
}

int roll_out(Context& context, const Rollout& rollout, const CanaryFlags& canary,
             const OperationWaitFlags& flags) {
  const auto wait = operation_wait(flags);
  if (!wait) return context.fail(kExitUsage, wait.error().message);
  Json request = request_of(rollout);
  if (const auto added = add_canary(canary, request); !added)
    return context.fail(kExitUsage, added.error().message);
  auto client = OperationClient::reach(context);
  if (!client) {
    if (json_int(request, "canary_ms") > 0)
      return context.fail(
          annotate(client.error(), "a canary needs hive's controllers; nothing was done").value());
    context.note("hive: warning: " + client.error().message +
                 ": Swarm's own updater does it, nobody watches the new version's answers, and a "
                 "bad one is not taken back");
    return by_hand(context, rollout, *wait);
  }
  const auto begun = begin(context, *client, rollout, request);
  if (!begun)
    return context.fail(annotate(begun.error(), "updating service " + rollout.name).value());
  context.line(rollout.word);
  return client->wait(context, {*begun}, *wait);
}

}  // namespace hive::cli
