// Carries a plan out, step by step, through the typed calls. What has been done is not undone when
// a step fails: planning again goes on from there.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "cloud/aws/client.h"
#include "cloud/aws/desired.h"
#include "cloud/aws/plan.h"
#include "cloud/aws/world.h"

namespace hive::cloud::aws {

class Applier {
 public:
  // All outlive the applier. `did` hears of each step that was done.
  Applier(Client& client, const Names& names, World world,
          std::function<void(const Step&, const std::string& how)> did)
      : client_(client), names_(names), world_(std::move(world)), did_(std::move(did)) {}

  // kFailedPrecondition when the plan has refusals; else the first error that neither passes by
  // itself (new things that are not seen everywhere yet, old ones still in use: waited for, five
  // minutes at most) nor means that the step is done (made or gone already).
  Status apply(const Plan& plan, const Desired& desired);  // of plan_up()
  Status remove(const Plan& plan);                         // of plan_down()

  // What is known to be there after the steps that were done.
  const World& world() const { return world_; }

 private:
  using Do = std::function<Result<std::string>(const Step&)>;
  Status run(const Plan& plan, const Do& one);
  Result<std::string> patiently(const Step& step, const Do& one);

  Result<std::string> make(const Step& step, const Desired& desired);
  Result<std::string> make_role_part(const Step& step, const Desired& desired);
  Result<std::string> make_security_group(const Step& step, const Desired& desired);
  Result<Machine> launch_in(const std::string& subnet, const LaunchSpec& spec,
                            const std::string& name);
  Result<std::string> launch_manager(const Step& step, const Desired& desired);
  Result<std::string> replaced_meanwhile(const std::string& name);
  Result<std::string> make_balancer(const Desired& desired);
  Result<std::string> register_managers();
  // What an application or a network balancer takes (apply_v2.cc).
  Result<std::string> make_v2(const Step& step, const Desired& desired);
  Result<std::string> make_target_group(const Step& step, const Desired& desired);
  Result<std::string> make_v2_balancer(const Desired& desired);
  Result<std::string> make_v2_listener(const Step& step, const Desired& desired);
  Result<std::string> attach_targets(const Step& step);
  Result<std::string> register_targets_of_managers(const Desired& desired);
  Result<std::string> take_v2_away(const Step& step);
  std::vector<std::string> managers() const;
  Result<std::string> v2_balancer_arn();
  Result<std::string> v2_listener_arn(std::uint16_t port);
  Result<std::string> target_group_arn(const std::string& name);
  Result<std::string> make_template(const Step& step, const Desired& desired);
  Result<std::string> make_group(const Step& step, const Desired& desired);
  Result<std::string> take_away(const Step& step);

  Result<std::string> group_id(const std::string& name);
  Result<std::vector<IngressRule>> with_ids(std::vector<IngressRule> rules);
  Result<LaunchSpec> with_ids(LaunchSpec spec);
  Result<GroupSpec> with_ids(GroupSpec spec);

  Client& client_;
  const Names& names_;
  World world_;
  std::function<void(const Step&, const std::string&)> did_;
};

}  // namespace hive::cloud::aws
