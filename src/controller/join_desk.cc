#include "controller/join_desk.h"

#include <algorithm>

#include "base/log.h"

namespace hive::controller {
namespace {

namespace aws = cloud::aws;
constexpr const char* kJoinComponent = "join";

// Of managers that answer, without port.
std::vector<std::string> managers_of(const std::vector<model::Node>& nodes) {
  std::vector<std::string> out;
  for (const auto& node : nodes) {
    if (node.manager_reachability != "reachable") continue;
    const auto address = node.manager_address.substr(0, node.manager_address.rfind(':'));
    if (!address.empty()) out.push_back(address);
  }
  std::sort(out.begin(), out.end());
  return out;
}

net::ServerResponse refusal(const Error& error) {
  const bool theirs = error.code == Errc::kPermissionDenied || error.code == Errc::kUnauthenticated;
  const int status = theirs ? 403 : error.code == Errc::kInvalidArgument ? 400 : 503;
  return net::ServerResponse::json(
      Json{{"error", error.message}}.dump(-1, ' ', false, Json::error_handler_t::replace), status);
}

}  // namespace

JoinDesk::JoinDesk(aws::Names names, Authority authority, engine::Engine& engine,
                   const Clock& clock, store::History& history)
    : names_(std::move(names)),
      authority_(std::move(authority)),
      engine_(engine),
      clock_(clock),
      history_(history),
      given_{{"manager", clock.now()}, {"worker", clock.now()}} {}

net::ServerResponse JoinDesk::answer(const net::ServerRequest& request) {
  if (request.path != aws::kJoinPath) return net::ServerResponse::error(404, "no such path");
  if (request.method != "POST") return net::ServerResponse::error(405, "a proof is posted");
  const auto made = offer(request);
  if (made) return net::ServerResponse::json(to_json(*made).dump());
  tell("join_refused", request.peer.address, made.error().message);
  return refusal(made.error());
}

Result<aws::Offer> JoinDesk::offer(const net::ServerRequest& request) {
  const auto json = parse_json(request.body, "the request");
  if (!json) return fail(Errc::kInvalidArgument, "the request is no JSON");
  HIVE_ASSIGN(const auto proof, aws::proof_from_json(*json));
  aws::Asker asker{.identity = {}, .address = request.peer.address};
  HIVE_ASSIGN(asker.identity, authority_.confirm(proof));
  HIVE_ASSIGN(const auto facts, authority_.facts());
  HIVE_ASSIGN(const auto admission, aws::admit(asker, names_, facts));
  if (admission.rests) return rest(admission);
  HIVE_ASSIGN(const auto nodes, engine_.list_nodes());
  // Before the token is read: a turn in between must not leave it in force for ever.
  {
    const std::lock_guard lock(mutex_);
    given_[admission.role] = clock_.now();
    last_refusal_.clear();
  }
  HIVE_ASSIGN(const auto tokens, engine_.join_tokens());
  aws::Offer out{admission.role == "manager" ? tokens.manager : tokens.worker, admission.hostname,
                 managers_of(nodes)};
  if (out.managers.empty()) return fail(Errc::kUnavailable, "no manager is reachable just now");
  tell("node_admitted", admission.hostname,
       "instance " + admission.instance + " at " + asker.address + " is the cluster's " +
           admission.role + ", as AWS confirms");
  return out;
}

Result<aws::Offer> JoinDesk::rest(const aws::Admission& admission) {
  if (admission.held) {
    HIVE_TRY(authority_.prepared(admission.instance));
    tell("instance_warmed", admission.hostname,
         "instance " + admission.instance + " is prepared, and waits in the warm pool");
  }
  aws::Offer out;
  out.rests = true;
  return out;
}

void JoinDesk::turn() {
  std::set<std::string> due;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [role, at] : given_)
      if (clock_.now() - at >= kTokenLife) due.insert(role);
  }
  if (due.empty()) return;
  const auto done = engine_.rotate_join_tokens(due.contains("worker"), due.contains("manager"));
  if (!done)
    return log::warn(kJoinComponent, "making join tokens anew: {}", describe(done.error()));
  const std::lock_guard lock(mutex_);
  // One that was given out meanwhile is made anew later; its machine asks again.
  for (const auto& role : due)
    if (clock_.now() - given_[role] >= kTokenLife) given_.erase(role);
}

void JoinDesk::tell(const char* kind, const std::string& subject, const std::string& reason) {
  const bool refused = std::string_view(kind) == "join_refused";
  {
    const std::lock_guard lock(mutex_);
    // A machine that is refused asks every two seconds.
    if (refused && last_refusal_ == subject + reason) return;
    if (refused) last_refusal_ = subject + reason;
  }
  log::info(kJoinComponent, "{} {}: {}", kind, subject, reason);
  const auto now = clock_.wall_now().time_since_epoch();
  history_.append({.unix_ms = std::chrono::duration_cast<Milliseconds>(now).count(),
                   .kind = kind,
                   .subject = subject,
                   .reason = reason});
}

}  // namespace hive::controller
