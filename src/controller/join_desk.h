// Where machines of a cloud ask to join the Swarm: verifies who asks (cloud/aws/identity.h, join.h)
// and gives out the join token of the role, on every manager. A token that was given out is used
// within moments; two minutes after the last one was, tokens of that role are made anew, so that
// what leaked opens nothing for long. A machine that comes too late asks again. One in its group's
// warm pool gets no token, and as it asks it is known to be prepared.
//
// Every admission and every refusal is told in the history. Safe from any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "cloud/aws/identity.h"
#include "cloud/aws/join.h"
#include "engine/engine.h"
#include "net/http_server.h"
#include "store/history.h"

namespace hive::controller {

inline constexpr const char* kJoinDoor = "join";

class JoinDesk {
 public:
  // The cloud's word, asked anew for each request.
  struct Authority {
    std::function<Result<cloud::aws::Identity>(const cloud::aws::Proof&)> confirm;
    std::function<Result<cloud::aws::Facts>()> facts;
    // An instance is prepared for the warm pool: its launch hook is answered. May be called again.
    std::function<Status(const std::string& instance)> prepared;
  };
  // All outlive it.
  JoinDesk(cloud::aws::Names names, Authority authority, engine::Engine& engine, const Clock& clock,
           store::History& history);

  // POST kJoinPath with a proof: 200 with an offer, 403 with the reason, 400, 503. Blocks for the
  // cloud and the engine.
  net::ServerResponse answer(const net::ServerRequest& request);
  // Rotates what is due; now and then.
  void turn();

  static constexpr Milliseconds kTokenLife{120'000};

 private:
  Result<cloud::aws::Offer> offer(const net::ServerRequest& request);
  Result<cloud::aws::Offer> rest(const cloud::aws::Admission& admission);
  void tell(const char* kind, const std::string& subject, const std::string& reason);

  const cloud::aws::Names names_;
  const Authority authority_;
  engine::Engine& engine_;
  const Clock& clock_;
  store::History& history_;
  std::mutex mutex_;  // all below
  // When a token of the role was last given out. What an earlier life gave out is not known: at the
  // beginning both count.
  std::map<std::string, MonotonicTime> given_;
  std::string last_refusal_;  // told once
};

}  // namespace hive::controller
