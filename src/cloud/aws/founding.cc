#include "cloud/aws/founding.h"

#include <algorithm>

namespace hive::cloud::aws {

Result<Founding> decide_founding(const std::optional<SwarmPlace>& swarm,
                                 const std::optional<std::string>& founder,
                                 const std::vector<Machine>& machines) {
  std::vector<const Machine*> managers;
  for (const auto& machine : machines)
    if (is_manager(machine) && is_up(machine)) managers.push_back(&machine);
  if (managers.empty()) return fail(Errc::kFailedPrecondition, "there is no manager's machine");
  if (swarm) {
    for (const auto* machine : managers)
      if (std::find(swarm->managers.begin(), swarm->managers.end(), machine->address) !=
          swarm->managers.end())
        return Founding{};
    return fail(Errc::kFailedPrecondition,
                "the machines of all the Swarm's managers are gone, and with them the Swarm: take "
                "the cluster down (hive down) and up again");
  }
  if (founder)
    for (const auto* machine : managers)
      if (machine->id == *founder) return Founding{};
  const auto first =
      std::min_element(managers.begin(), managers.end(), [](const Machine* a, const Machine* b) {
        return std::pair(tag_of(a->tags, "Name"), a->id) <
               std::pair(tag_of(b->tags, "Name"), b->id);
      });
  return Founding{founder.has_value(), (*first)->id};
}

std::string quorum_repair(const std::optional<SwarmPlace>& swarm,
                          const std::vector<Machine>& machines) {
  if (!swarm) return "";
  const auto& all = swarm->managers;
  std::vector<const Machine*> left;
  for (const auto& machine : machines)
    if (is_manager(machine) && is_up(machine) &&
        std::find(all.begin(), all.end(), machine.address) != all.end())
      left.push_back(&machine);
  if (left.empty() || 2 * left.size() > all.size()) return "";
  const Machine& one = *left.front();
  return "the machines of " + std::to_string(all.size() - left.size()) + " of the Swarm's " +
         std::to_string(all.size()) + " managers are gone, and with them its quorum. On " +
         tag_of(one.tags, "Name") + " (" + one.id +
         ") run 'docker swarm init --force-new-cluster --advertise-addr " + one.address +
         "', there alone" + (left.size() > 1 ? ", after terminating the other old managers" : "") +
         "; the new managers join it by themselves";
}

}  // namespace hive::cloud::aws
