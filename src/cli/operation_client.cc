#include "cli/operation_client.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "cli/context.h"
#include "cli/converge.h"
#include "cli/reach.h"
#include "net/http_client.h"
#include "os/secret.h"

namespace hive::cli {
namespace {

constexpr Milliseconds kPoll{150};
constexpr Milliseconds kRequest{12'000};     // a passive manager asks the leader, 10 s at most
constexpr Milliseconds kDoorOpens{10'000};   // a controller that was killed is started anew
constexpr Milliseconds kLeaderless{30'000};  // between two leaders
constexpr Milliseconds kHeld{60'000};        // by another operation, hive's own rebalancing say
constexpr Milliseconds kUnseen{15'000};      // the controllers look at a cloud each 10 s at least
constexpr Milliseconds kSilent{90'000};      // nobody tells how far it is

// The root door beside an engine's socket: /run/docker.sock -> /run/hive/controller.sock.
std::string door_beside(const std::string& engine_host) {
  constexpr std::string_view kUnix = "unix://";
  if (!engine_host.starts_with(kUnix)) return {};
  const std::filesystem::path engine(engine_host.substr(kUnix.size()));
  std::error_code none;
  auto run = std::filesystem::canonical(engine.parent_path(), none);
  return none ? std::string() : (run / "hive" / "controller.sock").string();
}

// `code`: the answer's own, of the same status several.
Errc errc_of(int status, const std::string& code) {
  if (code == to_string(Errc::kConflict)) return Errc::kConflict;
  if (status == 400 || status == 405) return Errc::kInvalidArgument;
  if (status == 404) return Errc::kNotFound;
  if (status == 409) return Errc::kAlreadyExists;
  if (status == 429) return Errc::kResourceExhausted;
  return status >= 500 ? Errc::kUnavailable : Errc::kInternal;
}

void pause(Milliseconds time) { std::this_thread::sleep_for(time); }

// "waits for 2 new tasks (1/3)".
std::string progress_line(const Json& operation) {
  const std::string doing = json_string(operation, "doing");
  const std::string trouble = json_string(operation, "trouble");
  const auto of = json_int(operation, "of");
  std::string out = doing;
  if (of > 0)
    out += fmt::format("{}({}/{})", out.empty() ? "" : " ", json_int(operation, "done"), of);
  if (!trouble.empty()) out += (out.empty() ? "" : "; ") + trouble;
  return out;
}

}  // namespace

void declare_operation_wait(Declare& declare, OperationWaitFlags& flags) {
  declare.flag("-d,--detach", &flags.detach, "Begin only, do not wait for the end");
  declare.flag("-q,--quiet", &flags.quiet, "No progress");
  declare.text("--timeout", "DURATION", &flags.timeout,
               "Give up waiting after this time, with exit code 3 (default: never)");
}

Result<OperationWait> operation_wait(const OperationWaitFlags& flags) {
  OperationWait out{flags.detach, flags.quiet, Milliseconds(0)};
  if (!flags.timeout) return out;
  const auto timeout = parse_duration(*flags.timeout);
  if (!timeout) return annotate(timeout.error(), "--timeout");
  out.deadline = std::chrono::duration_cast<Milliseconds>(*timeout);
  return out;
}

Result<OperationClient> OperationClient::reach(Context& context) {
  HIVE_TRY(context.engine());
  std::vector<std::string> engines{context.engine_host()};
  if (context.globals.host.empty())
    if (const auto cluster = pick_cluster(context.globals))
      for (const auto& host : manager_engines(*cluster)) engines.push_back(host);
  std::vector<std::string> sockets;
  for (const auto& engine : engines) {
    const std::string door = door_beside(engine);
    if (!door.empty() && std::filesystem::exists(door) &&
        std::find(sockets.begin(), sockets.end(), door) == sockets.end())
      sockets.push_back(door);
  }
  if (sockets.empty())
    return fail(Errc::kUnavailable,
                "no controller of hive's can be reached beside engine " + context.engine_host());
  OperationClient client(std::move(sockets));
  const auto begun = context.clock.now();
  while (true) {
    const auto alive = client.ask("GET", "/healthz", nullptr);
    if (alive) return client;
    if (context.clock.now() - begun > kDoorOpens)
      return fail(Errc::kUnavailable, "no controller answers (" + alive.error().message + ")");
    pause(kPoll);
  }
}

Result<Json> OperationClient::ask(const std::string& method, const std::string& path,
                                  const Json& body) const {
  Error why{Errc::kUnavailable, "no manager has a controller", std::nullopt};
  for (const auto& socket : sockets_) {
    net::HttpClient client({.base_url = "http://controller", .unix_socket = socket});
    net::Request request;
    request.method = method;
    request.path = path;
    request.deadline = kRequest;
    if (!body.is_null()) {
      request.headers.emplace("content-type", "application/json");
      request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    const auto answer = client.send(request);
    if (!answer) {
      why = answer.error();
      continue;
    }
    auto json = parse_json(answer->body, "the controller's answer");
    if (answer->status < 300) return json;
    why.code = errc_of(answer->status, json ? json_string(*json, "code") : "");
    why.message = json ? json_string(*json, "error") : std::string();
    if (why.message.empty()) why.message = "HTTP status " + std::to_string(answer->status);
    if (why.code != Errc::kUnavailable) break;
  }
  return tl::unexpected(why);
}

Result<BegunOperation> OperationClient::begin(Context& context, const std::string& kind,
                                              const Json& request, const std::string& label) {
  HIVE_ASSIGN(const std::string id, os::random_hex(8));
  const Json body{{"id", id}, {"kind", kind}, {"request", request}};
  catch_interrupts();
  const auto begun = context.clock.now();
  bool told = false;
  while (true) {
    const auto taken = ask("POST", "/v1/operations", body);
    if (taken) return BegunOperation{id, label};
    const Error& error = taken.error();
    const bool held = error.code == Errc::kConflict;
    const bool unseen = error.code == Errc::kNotFound;
    const auto patience = held ? kHeld : unseen ? kUnseen : kLeaderless;
    if ((!held && !unseen && !retryable(error.code)) || interrupted() ||
        context.clock.now() - begun > patience)
      return tl::unexpected(error);
    if (held && !told) context.note("hive: " + label + ": waits, since " + error.message);
    told = told || held;
    pause(kPoll);
  }
}

int OperationClient::wait(Context& context, const std::vector<BegunOperation>& operations,
                          const OperationWait& options) {
  if (options.detach) return kExitOk;
  catch_interrupts();
  const auto begun = context.clock.now();
  auto heard = begun;
  int code = kExitOk;
  std::vector<BegunOperation> left = operations;
  std::map<std::string, std::string> told;
  while (!left.empty()) {
    for (auto at = left.begin(); at != left.end();) {
      const auto operation = ask("GET", "/v1/operations/" + at->id, nullptr);
      const bool gone = !operation && operation.error().code == Errc::kNotFound &&
                        context.clock.now() - heard > kLeaderless;
      if (gone || (!operation && context.clock.now() - heard > kSilent))
        return context.fail(kExitFailed, at->label + ": no controller tells how far it is (" +
                                             operation.error().message + ")");
      if (!operation) break;
      heard = context.clock.now();
      const std::string outcome = json_string(*operation, "outcome");
      if (outcome == "running") {
        const std::string line = progress_line(*operation);
        if (!options.quiet && !line.empty() && told[at->id] != line)
          context.line(at->label + ": " + line);
        told[at->id] = line;
        ++at;
        continue;
      }
      const std::string result = at->label + ": " + json_string(*operation, "result");
      if (outcome == "succeeded") {
        if (!options.quiet) context.line(result);
      } else {
        code = context.fail(kExitFailed, result);
      }
      at = left.erase(at);
    }
    if (left.empty()) break;
    if (interrupted())
      return context.fail(kExitInterrupted,
                          "interrupted; what was asked for goes on in the background");
    if (options.deadline.count() > 0 && context.clock.now() - begun > options.deadline)
      return context.fail(kExitNotConverged,
                          left.front().label + ": not there within the time; it goes on");
    pause(kPoll);
  }
  return code;
}

int OperationClient::each(Context& context, const std::vector<std::string>& words,
                          const OperationWaitFlags& flags,
                          const std::function<Result<BegunOperation>(const std::string&)>& begin) {
  const auto options = operation_wait(flags);
  if (!options) return context.fail(kExitUsage, options.error().message);
  int code = kExitOk;
  for (const auto& word : words) {
    const auto begun = begin(word);
    if (!begun) {
      code = context.fail(begun.error());
      continue;
    }
    const int waited = wait(context, {*begun}, *options);
    if (waited == kExitOk) context.line(word);
    if (waited == kExitInterrupted) return waited;
    if (waited != kExitOk) code = waited;
  }
  return code;
}

}  // namespace hive::cli
