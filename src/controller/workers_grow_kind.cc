#include "controller/workers_grow_kind.h"

#include <algorithm>

#include "base/text.h"
#include "controller/cloud_retry.h"
#include "controller/drain_part.h"
#include "controller/kind_base.h"
#include "controller/launch_part.h"

namespace hive::controller {
namespace {

using cloud::Membership;

constexpr std::int64_t kTellings = 3;

bool counts(const cloud::Instance& one) {
  return one.role == "worker" &&
         (one.membership == Membership::kComing || one.membership == Membership::kServing);
}

std::string instances(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " instance" : " instances");
}

struct Growth {
  const OperationRecord& record;
  const OperationInput& input;
  OperationStep& out;
  const World& world = input.world;
  const int to = static_cast<int>(json_int(record.request, "to"));

  std::int64_t now() const { return world.now_unix_ms; }
  std::int64_t at(const char* key) const { return json_int(out.state, key); }
  const cloud::WorkerGroup& group() const { return *world.cloud->group; }
  bool failed_to(const char* what) const {
    return input.failure && input.failure->what.starts_with(what);
  }

  void run() {
    out.look_again = kNodesLookAgain;
    if (!world.cloud || !world.cloud->group) {
      out.progress.doing = "waits for the cloud's word";
      return;
    }
    if (!out.state.contains("known")) begin();
    if (record.cancelled && !out.state.contains("forgoing")) {
      if (at("asked_unix_ms") == 0) {
        out = end_step(std::move(out), OperationOutcome::kCancelled, "asked to end");
        return;
      }
      out.state["forgoing"] = "asked to end";
    }
    if (out.state.contains("forgoing")) return forgo();
    if (!out.state.contains("raised_unix_ms") && !raise()) return;
    watch();
  }

  void begin() {
    Json known = Json::array();
    for (const auto& one : world.cloud->instances)
      if (counts(one)) known.push_back(one.id);
    out.state["known"] = std::move(known);
    out.state["came"] = Json::object();
    out.state["leads"] = Json::object();
  }

  // --- the size
  // True once the cloud has it.
  bool raise() {
    if (group().desired >= to) {
      out.state["raised_unix_ms"] = out.state["grew_unix_ms"] = now();
      out.state.erase("why");
      return true;
    }
    out.progress.doing = "asks for " + std::to_string(to) + " workers";
    if (failed_to("ask") && !ask_cloud_again(record, input.failure->error, now(), out))
      return false;
    if (now() < at("retry_unix_ms")) {
      out.progress.doing = "waits to ask the cloud again: " + json_string(out.state, "why");
      return false;
    }
    const bool again = out.state.contains("retry_unix_ms");
    if (!again && at("asked_unix_ms") > 0 && now() - at("asked_unix_ms") < kCloudTellsMs)
      return false;
    out.state.erase("retry_unix_ms");
    out.state["asked_unix_ms"] = now();
    out.actions.push_back({"ask for " + std::to_string(to) + " workers",
                           json_string(record.request, "reason"), [to = to](Outside& outside) {
                             return outside.cloud().and_then(
                                 [&](const auto& cloud) { return cloud->raise_workers(to); });
                           }});
    return false;
  }

  // --- those that come
  struct Sight {
    int members = 0;
    std::vector<const cloud::Instance*> pending;  // came, not in service yet
  };

  bool knew(const std::string& id) const {
    const Json& known = out.state["known"];
    return std::find(known.begin(), known.end(), Json(id)) != known.end();
  }

  Sight look() {
    Sight sight;
    Json& came = out.state["came"];
    Json& leads = out.state["leads"];
    for (const auto& one : world.cloud->instances) {
      if (!counts(one)) continue;
      ++sight.members;
      if (knew(one.id)) continue;
      if (!came.contains(one.id)) {
        came[one.id] = now();
        out.state["grew_unix_ms"] = now();
      }
      if (one.membership != Membership::kServing)
        sight.pending.push_back(&one);
      else if (!leads.contains(one.id) && has_ready_node(world, one))
        leads[one.id] = now() - record.created_unix_ms;
    }
    return sight;
  }

  int missing(const Sight& sight) const { return std::min(to, group().desired) - sight.members; }

  void watch() {
    const Sight sight = look();
    const int due = missing(sight);
    const auto waits = static_cast<int>(sight.pending.size());
    const auto came = static_cast<std::int64_t>(out.state["came"].size());
    const auto asked = std::max<std::int64_t>(1, to - static_cast<int>(out.state["known"].size()));
    if (due <= 0 && waits == 0) {
      out = end_step(std::move(out), OperationOutcome::kSucceeded,
                     came == 0 ? "nothing had to come" : instances(came) + " came");
      return;
    }
    const auto lost = came - static_cast<std::int64_t>(out.state["leads"].size()) - waits;
    if (lost >= kLaunchAttempts * asked) {
      out.state["ending"] = true;
      out.state["forgoing"] = instances(lost) + " came and became no node";
      return forgo();
    }
    if (due <= 0) {
      out.progress.doing = "waits until " + instances(waits) + (waits == 1 ? " serves" : " serve");
      return;
    }
    const std::string& why = group().shortage;
    out.progress.doing =
        "waits for " + instances(due) + (why.empty() ? " that the cloud starts" : ": " + why);
    if (!why.empty() && json_string(out.state, "why") != why) {
      out.state["why"] = why;
      out.notes.push_back("the cloud has no instance now: " + why + "; its group tries again");
    }
    if (now() - at("grew_unix_ms") <= kCapacityMs) return;
    out.state["forgoing"] =
        "the cloud did not give " + instances(due) + (why.empty() ? "" : ": " + why);
    forgo();
  }

  // --- what does not come
  void forgo() {
    out.progress.doing = "the group is made as small as what is there";
    const Sight sight = look();
    const bool ends = json_bool(out.state, "ending");
    const bool told = at("told_unix_ms") > 0;
    const bool done =
        group().desired <= std::max(sight.members, group().min) && (!ends || sight.pending.empty());
    // A group that is as small as it may be starts another in the place of each that ends.
    if (told && (done || at("tellings") >= kTellings)) {
      const std::string why = json_string(out.state, "forgoing");
      out = end_step(std::move(out),
                     record.cancelled ? OperationOutcome::kCancelled : OperationOutcome::kFailed,
                     why);
      return;
    }
    if (told && !input.failure && now() - at("told_unix_ms") < kCloudTellsMs) return;
    out.state["told_unix_ms"] = now();
    out.state["tellings"] = at("tellings") + 1;
    if (ends)
      for (const auto* one : sight.pending) out.actions.push_back(end_action(*one));
    out.actions.push_back(
        {"wait for no more instances", json_string(out.state, "forgoing"), [](Outside& outside) {
           return outside.cloud().and_then(
               [](const auto& cloud) { return cloud->forgo_workers(); });
         }});
  }

  OperationAction end_action(const cloud::Instance& instance) const {
    return {"end " + instance.hostname, json_string(out.state, "forgoing"),
            [one = instance](Outside& outside) -> Status {
              HIVE_ASSIGN(const auto nodes, outside.engine.list_nodes());
              // What is ready has tasks a moment later.
              for (const auto& node : nodes)
                if (node.hostname == one.hostname && node.state == model::NodeState::kReady)
                  return {};
              HIVE_ASSIGN(const auto cloud, outside.cloud());
              return cloud->terminate(one.id);
            }};
  }
};

class WorkersGrowKind final : public OperationKind {
 public:
  std::string_view name() const override { return kWorkersGrow; }

  Result<Json> check(const Json& request, const World& world) const override {
    if (!world.cloud || !world.cloud->group)
      return fail(Errc::kUnavailable,
                  "the cloud does not answer this controller, or keeps no group of workers");
    const auto to = json_int(request, "to");
    const int max = world.cloud->group->max;
    if (to < 1) return fail(Errc::kInvalidArgument, "'to' must be at least 1");
    if (to > max)
      return fail(Errc::kFailedPrecondition,
                  "the cloud's group takes no more than " + std::to_string(max) + " workers");
    return Json{{"to", to},
                {"autoscaler", json_bool(request, "autoscaler")},
                {"reason", json_string(request, "reason", "it was asked for")}};
  }
  std::string subject(const Json&, const World&) const override { return "workers"; }
  // The same number is asked for once.
  std::vector<std::string> claims(const OperationRecord& record) const override {
    return {"workers:" + std::to_string(json_int(record.request, "to"))};
  }
  OperationStep step(const OperationRecord& record, const OperationInput& input) const override {
    OperationStep out;
    out.state = record.state.is_null() ? Json::object() : record.state;
    Growth{record, input, out}.run();
    return out;
  }
};

}  // namespace

std::unique_ptr<OperationKind> make_workers_grow_kind() {
  return std::make_unique<WorkersGrowKind>();
}

int desired_workers(const World& world, const std::vector<OperationRecord>& records) {
  if (!world.cloud || !world.cloud->group) return 0;
  int out = world.cloud->group->desired;
  for (const auto& record : records) {
    if (record.kind != kWorkersGrow || record.outcome != OperationOutcome::kRunning) continue;
    if (record.cancelled || json_member(record.state, "forgoing") != nullptr) continue;
    const auto raised = json_int(record.state, "raised_unix_ms");
    // Another manager's look may be older than what this one wrote down.
    if (raised == 0 || world.now_unix_ms - raised < kCloudTellsMs)
      out = std::max(out, static_cast<int>(json_int(record.request, "to")));
  }
  return out;
}

}  // namespace hive::controller
