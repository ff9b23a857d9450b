// Calls AWS: signs, sends, tries again what may be tried again, turns faults into errors, follows
// pages. What the calls take and give stands in the typed calls (ec2.h, autoscaling.h, ...).
//
// Retries are AWS's standard mode: what is throttled, answered 5xx or not answered is sent again,
// at most ClientOptions::max_attempts times, after a random time that grows (full jitter) or the
// one that Retry-After says; a bucket of tokens, shared by all calls of the client, ends retrying
// when most calls fail. Calls with an effect are sent again too: they carry an idempotency token
// where the API has one, and the planner takes "exists already" for done. A clock that is wrong by
// more than four minutes is found by the answers' Date and corrected in the signatures.
//
// Errors: as kind_of() in fault.h; kUnavailable and kDeadlineExceeded when there is no answer;
// kCorrupt for one that is not what the protocol promises; kCancelled when `pause` says so. No
// credential is ever part of a message. Blocking; safe to share between threads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "cloud/aws/credentials.h"
#include "cloud/aws/fault.h"
#include "cloud/aws/form.h"
#include "cloud/aws/operations.h"
#include "cloud/aws/xml.h"
#include "net/http_client.h"

namespace hive::cloud::aws {

struct ClientOptions {
  std::string region;
  std::string profile;  // empty = the one in force
  Environment environment;
  const Clock* clock = nullptr;   // outlives the client
  std::uint64_t seed = 0;         // of the jitter
  int max_attempts = 5;           // the first one included
  Milliseconds deadline{30'000};  // of one attempt
  // Waits; false ends the call with kCancelled. Handed in, so that tests do not wait.
  std::function<bool(Milliseconds)> pause;
};

class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // A call of a query protocol: the answer's result element.
  Result<Element> query(Op op, const Form& form = {});
  // All pages of it, in order. kCorrupt when they do not end.
  Result<std::vector<Element>> query_all(Op op, const Form& form = {});
  // A call of a JSON protocol: the answer's object.
  Result<Json> json(Op op, const Json& body);
  Result<std::vector<Json>> json_all(Op op, const Json& body);

  const std::string& region() const { return options_.region; }
  const Clock& clock() const { return *options_.clock; }
  // For waits between calls (see ClientOptions::pause).
  bool pause(Milliseconds time) const { return options_.pause(time); }

 private:
  struct Attempt;
  Result<net::Response> call(const Operation& operation, net::Request request);
  Attempt attempt(const Operation& operation, const Endpoint& endpoint, net::Request request);
  Result<Endpoint> endpoint(Service service);
  net::HttpClient& connection(const std::string& base_url);
  bool take_tokens(int cost);
  void give_token();
  Milliseconds jittered(int attempts);
  void learn_clock(const net::Response& response, WallTime sent);
  WallTime signing_time();

  ClientOptions options_;
  CredentialChain credentials_;
  std::mutex mutex_;  // all below
  Random random_;
  int tokens_;
  std::chrono::seconds clock_offset_{0};
  std::map<Service, Endpoint> endpoints_;
  std::map<std::string, std::unique_ptr<net::HttpClient>> connections_;
};

}  // namespace hive::cloud::aws
