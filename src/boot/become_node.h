// How a machine of a cloud becomes a node of its Swarm: the rule, with the world handed in. It
// looks at what is there and does the one thing that is missing, until the engine is a node of the
// Swarm; so a machine that was killed anywhere on the way goes on when it boots again, and one that
// is a node already does nothing.
//
// The Swarm is begun by one machine, the founder, which the operator names (cloud/aws/board.h) when
// there is no Swarm yet; everybody else waits until there is one, asks a manager for a join token
// (cloud/aws/join.h), and joins.
//
// A machine that its group puts into its warm pool asks, too, by which a manager knows that it is
// prepared; it is told to rest, and does so, without a deadline, until the group takes it. One that
// is stopped meanwhile begins anew at its next start (services.h, begin_at_later_boots()).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "cloud/aws/board.h"
#include "cloud/aws/join.h"
#include "engine/engine.h"

namespace hive::boot {

struct Self {
  std::string instance;  // "i-..."
  std::string address;   // private IPv4
};

// What a machine that boots may ask and do besides its engine. Blocking calls with deadlines; one
// thread.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  // The instance that is to begin the Swarm; nothing while nobody is named. Managers only.
  virtual Result<std::optional<std::string>> founder() = 0;
  // Where the Swarm is; nothing while there is none.
  virtual Result<std::optional<cloud::aws::SwarmPlace>> swarm() = 0;
  // Asks the manager at that address, which proves itself by the Swarm's authority.
  virtual Result<cloud::aws::Offer> ask(const cloud::aws::SwarmPlace& place,
                                        const std::string& manager) = 0;
  // What the founder, who has nobody to ask, is called.
  virtual Result<std::string> own_name() = 0;
  virtual Status set_hostname(const std::string& name) = 0;
  // Its group keeps it in its warm pool, or is about to; false for what is in no group.
  virtual Result<bool> warm() = 0;
};

struct BootOptions {
  bool manager = false;
  Self self;
  Milliseconds look{2'000};          // between two looks
  Milliseconds deadline{1'800'000};  // then the machine is given up
};

enum class Became { kFounder, kMember, kWasMember };

// `pause` waits and is false when the wait was interrupted; `say` hears what is done and waited
// for, each once. kDeadlineExceeded with what it waited for last; kCancelled.
Result<Became> become_node(engine::Engine& engine, Surroundings& surroundings,
                           const BootOptions& options, const Clock& clock,
                           const std::function<bool(Milliseconds)>& pause,
                           const std::function<void(const std::string&)>& say);

}  // namespace hive::boot
