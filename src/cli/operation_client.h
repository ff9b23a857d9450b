// Operations of the controllers (controller/operation.h, docs/api.md "Operations") as commands ask
// for them: begun, then watched with progress until they end.
//
//   auto client = OperationClient::reach(context);   // kUnavailable: no controller can be asked
//   auto begun = client->begin(context, "scale", {{"service", id}, {"replicas", 3}}, name);
//   return client->wait(context, {*begun}, options); // an exit code that tells the truth
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "cli/command.h"

namespace hive::cli {

class Context;

struct OperationWait {
  bool detach = false;  // begin only
  bool quiet = false;   // no progress
  // Exit code 3 after this time; the operation goes on. 0 = wait until it ends.
  Milliseconds deadline{0};
};

// --detach, --quiet, --timeout, as docker names them.
struct OperationWaitFlags {
  bool detach = false;
  bool quiet = false;
  std::optional<std::string> timeout;
};
void declare_operation_wait(Declare& declare, OperationWaitFlags& flags);
Result<OperationWait> operation_wait(const OperationWaitFlags& flags);

// A begun operation, and what its lines of progress begin with.
struct BegunOperation {
  std::string id;
  std::string label;
};

// One thread. Talks to the root doors of managers, any of which passes requests on to the leader.
class OperationClient {
 public:
  // A controller answers on one of the managers' root doors. Waits some seconds for one that is
  // being started anew. kUnavailable when there is none: no hive runs there, or it cannot be
  // reached from this machine.
  static Result<OperationClient> reach(Context& context);

  // The id of the operation, written down by the leader. Asked again under one id until it is
  // known to be taken or refused: it is never begun twice. Waits a minute for what another
  // operation holds, and says so, and some seconds for what the controllers do not know: the
  // caller has found it just now. kInvalidArgument, kNotFound; kConflict when it is held for
  // longer; kAlreadyExists for what may not be done now, with the reason; kUnavailable when nobody
  // leads.
  Result<BegunOperation> begin(Context& context, const std::string& kind, const Json& request,
                               const std::string& label);
  // Until all have ended; prints each one's progress as it changes, and its result. Also over the
  // death of a leader. 0 when all succeeded; 1, 3 or 130 as docs/commands.md says.
  int wait(Context& context, const std::vector<BegunOperation>& operations,
           const OperationWait& options);
  // One after the other, each begun when the last has ended: prints the word of each that
  // succeeded, goes on after one that failed. The code of the last failure.
  int each(Context& context, const std::vector<std::string>& words, const OperationWaitFlags& flags,
           const std::function<Result<BegunOperation>(const std::string& word)>& begin);

 private:
  explicit OperationClient(std::vector<std::string> sockets) : sockets_(std::move(sockets)) {}
  // The first answer of any door; an HTTP error is an Error with its code and sentence.
  Result<Json> ask(const std::string& method, const std::string& path, const Json& body) const;

  std::vector<std::string> sockets_;  // root doors, paths on this machine
};

}  // namespace hive::cli
