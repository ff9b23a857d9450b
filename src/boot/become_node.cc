#include "boot/become_node.h"

namespace hive::boot {
namespace {

using cloud::aws::Offer;
using cloud::aws::SwarmPlace;

class Boot {
 public:
  Boot(engine::Engine& engine, Surroundings& surroundings, const BootOptions& options,
       const std::function<void(const std::string&)>& say)
      : engine_(engine), surroundings_(surroundings), options_(options), say_(say) {}

  // Nothing while it has to wait; what for is said.
  std::optional<Became> step() {
    const auto info = engine_.info();
    if (!info) return wait("the engine to answer: " + info.error().message);
    const std::string state = json_string(*info, "Swarm.LocalNodeState", "inactive");
    if (state == "active") return became_.value_or(Became::kWasMember);
    if (state == "pending") return wait("the engine, which is joining");
    if (state != "inactive") return leave(state);
    if (rests_) {
      const auto warm = surroundings_.warm();
      if (!warm) return wait("its metadata: " + warm.error().message);
      if (*warm) return wait("its group to take it out of the warm pool");
      rests_ = false;
    }
    const auto place = surroundings_.swarm();
    if (!place) return wait("the notice board: " + place.error().message);
    if (*place) return join(**place);
    return options_.manager ? found() : wait("a Swarm to join");
  }

  const std::string& waits_for() const { return waits_for_; }
  bool rests() const { return rests_; }

 private:
  std::optional<Became> wait(const std::string& what) {
    if (what != waits_for_) say_("waits for " + what);
    waits_for_ = what;
    return std::nullopt;
  }

  // It was in a Swarm that does not know it any more.
  std::optional<Became> leave(const std::string& state) {
    const auto left = engine_.swarm_leave(true);
    if (!left) return wait("its old Swarm (" + state + ") to let it go: " + left.error().message);
    say_("left an old Swarm, in which it was in state " + state);
    return std::nullopt;
  }

  std::optional<Became> found() {
    const auto founder = surroundings_.founder();
    if (!founder) return wait("the notice board: " + founder.error().message);
    if (!*founder) return wait("a Swarm to join, or to be named its founder");
    if (**founder != options_.self.instance) return wait("founder " + **founder);
    const auto name = surroundings_.own_name();
    if (!name) return wait("its name: " + name.error().message);
    if (const auto named = surroundings_.set_hostname(*name); !named)
      return wait("its name to be set: " + named.error().message);
    engine::SwarmInit request;
    request.advertise_address = options_.self.address;
    const auto made = engine_.swarm_init(request);
    if (!made) return wait("the Swarm to begin: " + made.error().message);
    say_("began the Swarm as " + *name);
    became_ = Became::kFounder;
    return std::nullopt;
  }

  std::optional<Became> join(const SwarmPlace& place) {
    std::string why;
    for (const auto& manager : place.managers) {
      if (manager == options_.self.address) continue;
      const auto offer = surroundings_.ask(place, manager);
      if (!offer) {
        why = manager + ": " + offer.error().message;
        continue;
      }
      rests_ = offer->rests;
      if (rests_) return wait("its group to take it out of the warm pool");
      return take(*offer);
    }
    return wait("a manager to admit it; the last, " + why);
  }

  std::optional<Became> take(const Offer& offer) {
    if (const auto named = surroundings_.set_hostname(offer.hostname); !named)
      return wait("its name to be set: " + named.error().message);
    engine::SwarmJoin request;
    request.advertise_address = options_.self.address;
    for (const auto& manager : offer.managers)
      request.remote_addresses.push_back(manager + ":2377");
    request.token = offer.token;
    const auto joined = engine_.swarm_join(request);
    // The engine's words may hold the token; only their kind is told.
    if (!joined)
      return wait("the Swarm to take it in (" + std::string(to_string(joined.error().code)) + ")");
    say_("joined the Swarm as " + offer.hostname);
    became_ = Became::kMember;
    return std::nullopt;
  }

  engine::Engine& engine_;
  Surroundings& surroundings_;
  const BootOptions& options_;
  const std::function<void(const std::string&)>& say_;
  std::string waits_for_;
  std::optional<Became> became_;
  bool rests_ = false;  // in the warm pool, by a manager's word
};

}  // namespace

Result<Became> become_node(engine::Engine& engine, Surroundings& surroundings,
                           const BootOptions& options, const Clock& clock,
                           const std::function<bool(Milliseconds)>& pause,
                           const std::function<void(const std::string&)>& say) {
  Boot boot(engine, surroundings, options, say);
  auto begin = clock.now();
  for (;;) {
    if (const auto became = boot.step()) return *became;
    if (boot.rests()) begin = clock.now();
    if (clock.now() - begin >= options.deadline)
      return fail(Errc::kDeadlineExceeded, "gave up waiting for " + boot.waits_for());
    if (!pause(options.look)) return fail(Errc::kCancelled, "interrupted");
  }
}

}  // namespace hive::boot
