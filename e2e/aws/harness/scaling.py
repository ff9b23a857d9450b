"""Auto Scaling groups: what moto stores of them is brought about here. Members go
    Pending -> Pending:Wait -> Pending:Proceed -> InService
    Terminating (connection draining) -> Terminating:Wait -> Terminating:Proceed -> gone
Those of a group's warm pool (warm_pools.py) go the same ways in states of their own, Warmed:..."""
import collections
import datetime
import uuid

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState
from moto.core.exceptions import ServiceException

from . import scaling_api
from .lifecycle import LAUNCHING, TERMINATING, Actions
from .warm_pools import ENDING, WARMED, WarmPools

COUNTED = ("Pending", "Pending:Wait", "Pending:Proceed", "InService")
ENDS = ("Terminating", "Terminating:Wait", "Terminating:Proceed", *ENDING)
GONE = ("terminated", "shutting-down")


class ResourceInUse(AutoscalingClientError):
    code = "ResourceInUse"


def is_warmed(member):
    return member.lifecycle_state.startswith(WARMED)


class Scaling:
    def __init__(self, world):
        self.world = world
        self.reset()

    def reset(self):
        self.actions = {}      # instance id -> Actions, while its member waits
        self.activities = collections.defaultdict(list)  # group -> newest last
        self.retain = set()    # groups with TerminateHookAbandon=retain
        self._retry = {}       # group -> when to launch again
        self._since = {}       # instance id -> since when it is InService
        self.pools = WarmPools(self)

    def install(self):
        me = self

        def set_desired_capacity(group, capacity):
            group.desired_capacity = group.min_size if capacity is None else capacity
            me._retry.pop(group.name, None)  # an order is tried at once

        update = FakeAutoScalingGroup.update

        def keep_policy(group, *args, **words):
            # moto forgets the policy when an update does not name it.
            if words.get("mixed_instances_policy") is None:
                words["mixed_instances_policy"] = group.mixed_instances_policy
            if words.get("desired_capacity") is None:  # AWS pulls it into the new bounds
                low, high = words.get("min_size") or group.min_size, words.get("max_size") or group.max_size
                words["desired_capacity"] = min(max(group.desired_capacity, low), high)
            update(group, *args, **words)

        FakeAutoScalingGroup.set_desired_capacity = set_desired_capacity
        FakeAutoScalingGroup.update = keep_policy
        AutoScalingBackend.update_attached_elbs = lambda backend, name: None
        AutoScalingBackend.terminate_instance = lambda backend, instance_id, decrement: \
            me.terminate(instance_id, decrement)
        AutoScalingBackend.delete_auto_scaling_group = lambda backend, name: me.delete(name, False)
        self.pools.install()
        scaling_api.install(self)

    # --- what there is
    def groups(self):
        return self.world.backend("autoscaling").autoscaling_groups

    def group(self, name):
        if name not in self.groups():
            raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
        return self.groups()[name]

    def member(self, instance_id):
        """(group, member) or None; also of its warm pool."""
        for group in self.groups().values():
            for one in group.instance_states + self.pools.members[group.name]:
                if one.instance_id == instance_id:
                    return group, one
        return None

    def _hooks(self, group, transition):
        return [hook for hook in self.world.backend("autoscaling").lifecycle_hooks.values()
                if hook.auto_scaling_group_name == group.name
                and hook.lifecycle_transition == transition]

    @staticmethod
    def is_suspended(group, process):
        return process in group._suspended_processes

    def target_state(self, instance_id):
        """autoscaling/target-lifecycle-state of the instance's metadata, or None."""
        found = self.member(instance_id)
        if not found:
            return None
        group, member = found
        warmed = WARMED if is_warmed(member) else ""
        if member.lifecycle_state in ENDS:
            return warmed + "Terminated"
        return warmed + group.warm_pool.pool_state if warmed else "InService"

    # --- orders
    def terminate(self, instance_id, decrement):
        """TerminateInstanceInAutoScalingGroup."""
        found = self.member(instance_id)
        if not found:
            raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: "
                                  f"{instance_id}")
        group, member = found
        if is_warmed(member):
            raise ValidationError(f"The instance {instance_id} is in the warm pool of group {group.name}")
        if decrement:
            if group.desired_capacity - 1 < group.min_size:
                raise ValidationError("Currently, desiredSize equals minSize "
                                      f"({group.min_size}). Terminating instance without replacement "
                                      "will violate group's min size constraint. Either set "
                                      "shouldDecrementDesiredCapacity flag to false or lower group's "
                                      "min size.")
            group.desired_capacity -= 1
        return self.begin_end(group, member, "in response to a user request")

    def delete(self, name, force):
        group = self.group(name)
        if (group.instance_states or self.pools.members[name]) and not force:
            raise ResourceInUse("You cannot delete an AutoScalingGroup while there are instances or "
                                "pending Spot instance request(s) still in the group.")
        group.status = "Delete in progress"
        group.min_size = group.desired_capacity = 0
        for member in group.instance_states:
            self.end_now(group, member)
        self.pools.delete(group)
        self._drop_deleted(group)

    def delete_pool(self, name, force):
        group = self.group(name)
        if self.pools.members[name] and not force:
            raise ResourceInUse(f"The warm pool of AutoScalingGroup {name} still has instances in it.")
        self.pools.delete(group)
        self.pools.fit(group)

    def _drop_deleted(self, group):
        if getattr(group, "status", None) and not group.instance_states + self.pools.members[group.name]:
            backend = self.world.backend("autoscaling")
            backend.autoscaling_groups.pop(group.name, None)
            for key, hook in list(backend.lifecycle_hooks.items()):
                if hook.auto_scaling_group_name == group.name:
                    del backend.lifecycle_hooks[key]
            self.activities.pop(group.name, None)

    # --- as time goes on
    def tick(self):
        for group in list(self.groups().values()):
            for member in group.instance_states + self.pools.members[group.name]:
                self._go_on(group, member)
            if not getattr(group, "status", None):
                self._fit(group)
                self.pools.fit(group)
            self._drop_deleted(group)

    def _go_on(self, group, member):
        state, instance = member.lifecycle_state.removeprefix(WARMED), member.instance
        if instance.state in GONE and state not in ENDS:
            # Ended by somebody else: no hook holds it.
            member.health_status = "Unhealthy"
            self._leave(group, member)
            self.note(group, "Terminating", member, "an instance was taken out of service in response "
                      "to an EC2 health check indicating it has been terminated or stopped")
            self._now_ends(member)
        elif instance.state == "terminated":  # directly, while it drained or waited
            self.actions.pop(member.instance_id, None)
            self._gone(group, member)
        elif state in (*COUNTED, "Running") and self._is_unhealthy(group, member):
            self.begin_end(group, member, "in response to a health check")
        elif state == "Pending" and instance.state == "running":
            self._wait_or(group, member, LAUNCHING)
        elif state in ("Pending:Wait", "Terminating:Wait"):
            self._waiting(group, member)
        elif state == "Pending:Proceed" and is_warmed(member):
            self.pools.rest(group, member)
        elif state == "Pending:Proceed":
            self._in_service(group, member)
        elif state == "Terminating" and not self._drains(instance.id):
            self._wait_or(group, member, TERMINATING)
        elif state == "Terminating:Proceed":
            self._gone(group, member)

    def _is_unhealthy(self, group, member):
        if self.is_suspended(group, "ReplaceUnhealthy"):
            return False
        if self.is_suspended(group, "HealthCheck"):
            return member.health_status == "Unhealthy"
        # On its way into the warm pool it is stopped by order.
        if member.instance.state in ("stopping", "stopped") and not (
                is_warmed(member) and member.lifecycle_state.endswith(":Proceed")):
            member.health_status = "Unhealthy"
        grace = self.world.clock.now() - self._since.get(member.instance_id, self.world.clock.now())
        if (group.health_check_type == "ELB" and member.lifecycle_state == "InService"
                and grace > int(group.health_check_grace_period or 0)
                and (self.world.balancers.says_out_of_service(member.instance_id)
                     or self.world.target_groups.says_out_of_service(member.instance_id))):
            member.health_status = "Unhealthy"
        return member.health_status == "Unhealthy"

    def _wait_or(self, group, member, transition):
        hooks = self._hooks(group, transition)
        if hooks:
            self.actions[member.instance_id] = Actions(hooks, self.world.clock.now())
        member.lifecycle_state += ":Wait" if hooks else ":Proceed"

    def _waiting(self, group, member):
        actions = self.actions[member.instance_id]
        outcome = actions.outcome(self.world.clock.now())
        if outcome is None:
            return
        transition = member.lifecycle_state.removesuffix(":Wait")
        if transition.endswith("Terminating"):
            del self.actions[member.instance_id]
            retained = group.name in self.retain and actions.abandoned
            member.lifecycle_state = transition + (":Retained" if retained else ":Proceed")
        elif outcome == "CONTINUE":
            del self.actions[member.instance_id]
            member.lifecycle_state = transition + ":Proceed"
        else:
            self.end_activity(member, "Failed", "Instance failed to complete user's Lifecycle Action: "
                              "Lifecycle Action was abandoned")
            self.begin_end(group, member, "since a launch hook was abandoned", hooks=False)

    def _in_service(self, group, member):
        member.lifecycle_state = "InService"
        self._since[member.instance_id] = self.world.clock.now()
        self.end_activity(member, "Successful")
        if not self.is_suspended(group, "AddToLoadBalancer"):
            for name in filter(self.world.balancers.has, group.load_balancer_names):
                self.world.balancers.register(name, [member.instance_id])
            for arn in filter(self.world.target_groups.has, group.target_group_arns):
                self.world.target_groups.register(arn, [member.instance_id])

    def begin_end(self, group, member, cause, hooks=True):
        activity = self.note(group, "Terminating", member,
                             f"an instance was taken out of service {cause}")
        if member.lifecycle_state not in ENDS:
            self._leave(group, member)
            self._set_ending(member, "" if hooks else ":Proceed")
        return activity

    def end_now(self, group, member):
        """A forced end, which hooks do not hold."""
        self._leave(group, member)
        self._now_ends(member)

    @staticmethod
    def _set_ending(member, suffix):
        member.lifecycle_state = (WARMED if is_warmed(member) else "") + "Terminating" + suffix

    def _leave(self, group, member):
        self.actions.pop(member.instance_id, None)
        self._since.pop(member.instance_id, None)
        for name in filter(self.world.balancers.has, group.load_balancer_names):
            self.world.balancers.deregister(name, [member.instance_id])
        for arn in filter(self.world.target_groups.has, group.target_group_arns):
            self.world.target_groups.deregister(arn, [member.instance_id])

    def _drains(self, instance_id):
        return (self.world.balancers.drains(instance_id)
                or self.world.target_groups.drains(instance_id))

    def _now_ends(self, member):
        self._set_ending(member, ":Proceed")
        member.instance.terminate()

    def _gone(self, group, member):
        if member.instance.state not in GONE:
            member.instance.terminate()
        if member.instance.state == "terminated":
            there = self.pools.members[group.name] if is_warmed(member) else group.instance_states
            there.remove(member)
            self.end_activity(member, "Successful")

    # --- the right number
    def _fit(self, group):
        counted = [one for one in group.instance_states if one.lifecycle_state in COUNTED]
        missing = (group.desired_capacity or 0) - len(counted)
        if missing > 0 and not self.is_suspended(group, "Launch"):
            missing -= self.pools.take(group, missing)
            self.launch(group, missing, "Pending", group.instance_states)
        elif missing < 0 and not self.is_suspended(group, "Terminate"):
            for _ in range(-missing):
                self._shrink(group)

    def _shrink(self, group):
        """The oldest of the zone with the most, of those that are not protected."""
        counted = [one for one in group.instance_states if one.lifecycle_state in COUNTED]
        zones = collections.Counter(one.availability_zone for one in counted)
        free = [one for one in counted if not one.protected_from_scale_in]
        if free:
            victim = max(free, key=lambda one: (zones[one.availability_zone],
                                                -one.instance.launch_time.timestamp()))
            self.begin_end(group, victim, "in response to a difference between desired and actual "
                            "capacity")

    def _places(self, group, members):
        """(zone, subnet or None) to try, the one with the fewest of the members first."""
        counted = collections.Counter(one.availability_zone for one in members
                                      if "Terminating" not in one.lifecycle_state)
        if group.vpc_zone_identifier:
            subnets = self.world.backend("ec2").describe_subnets(
                subnet_ids=group.vpc_zone_identifier.split(","))
            places = [(one.availability_zone, one.id) for one in subnets]
        else:
            places = [(zone, None) for zone in group.availability_zones]
        return sorted(places, key=lambda place: counted[place[0]])

    def _types(self, group):
        policy = group.mixed_instances_policy or {}
        overrides = policy.get("LaunchTemplate", {}).get("Overrides", [])
        return [one["InstanceType"] for one in overrides if "InstanceType" in one] or \
            [group.instance_type]

    def _wants_spot(self, group):
        """Whether the next one is to be a Spot instance, by the shares of the policy."""
        distribution = (group.mixed_instances_policy or {}).get("InstancesDistribution", {})
        base = int(distribution.get("OnDemandBaseCapacity", 0))
        percent = int(distribution.get("OnDemandPercentageAboveBaseCapacity", 100))
        counted = [one for one in group.instance_states if one.lifecycle_state in COUNTED]
        on_demand = len([one for one in counted if one.instance.lifecycle != "spot"])
        due = min(base, len(counted) + 1) + -(-max(0, len(counted) + 1 - base) * percent // 100)
        return on_demand >= due

    def launch(self, group, count, state, members):
        """So many more in that state among these members, the group's or its warm pool's."""
        if self.world.clock.now() < self._retry.get(group.name, 0):
            return
        for _ in range(count):
            if not self._launch(group, state, members):
                break

    def _launch(self, group, state, members):
        refusal = None
        for zone, subnet in self._places(group, members):
            for kind in self._types(group):
                try:
                    member = self._launch_at(group, zone, subnet, kind, state)
                    members.append(member)
                    self.note(group, "Launching", member, "an instance was started in response to a "
                              "difference between desired and actual capacity")
                    return True
                except ServiceException as error:
                    refusal = error
        activity = self.note(group, "Launching", None, "an instance was started in response to a "
                             "difference between desired and actual capacity")
        self._finish(activity, "Failed", f"{refusal.message} Launching EC2 instance failed.")
        self._retry[group.name] = self.world.clock.now() + self.world.settings.launch_retry_seconds
        return False

    def _launch_at(self, group, zone, subnet, kind, state):
        template = None
        if group.ec2_launch_template:
            version = group.ec2_launch_template.get_version(group.launch_template_version)
            template = {"LaunchTemplateId": group.ec2_launch_template.id,
                        "Version": str(version.number)}
        backend = self.world.backend("ec2")
        reservation = backend.run_instances(
            group.image_id, 1, group.user_data, group.security_groups, instance_type=kind,
            tags={"instance": {"aws:autoscaling:groupName": group.name, **group.instance_tags,
                               **group.get_propagated_tags()}},
            placement=zone, subnet_id=subnet, launch_config=group.launch_config,
            launch_template=template, is_instance_type_default=False,
            associate_public_ip=group.launch_config.associate_public_ip_address
            if group.launch_config else None,
            instance_market_options="spot" if self._wants_spot(group) else {})
        instance = reservation.instances[0]
        instance.region_name = self.world.region
        instance.autoscaling_group = group
        return InstanceState(instance, state,
                             protected_from_scale_in=group.new_instances_protected_from_scale_in)

    # --- activities
    def note(self, group, verb, member, cause):
        now = datetime.datetime.now(datetime.timezone.utc)
        what = f"{verb} a new EC2 instance" if verb == "Launching" else f"{verb} EC2 instance"
        if member:
            what += f": {member.instance_id}"
        activity = {"ActivityId": str(uuid.uuid4()), "AutoScalingGroupName": group.name,
                    "AutoScalingGroupARN": group.arn, "Description": what, "StartTime": now,
                    "Cause": f"At {now:%Y-%m-%dT%H:%M:%SZ} {cause}.", "StatusCode": "InProgress",
                    "Progress": 30, "Details": "{}", "instance": member and member.instance_id}
        self.activities[group.name].append(activity)
        return activity

    def _finish(self, activity, code, message=None):
        activity.update(StatusCode=code, Progress=100,
                        EndTime=datetime.datetime.now(datetime.timezone.utc))
        if message:
            activity["StatusMessage"] = message

    def end_activity(self, member, code, message=None):
        for activity in self.activities[member.auto_scaling_group_name]:
            if activity["instance"] == member.instance_id and activity["StatusCode"] == "InProgress":
                self._finish(activity, code, message)
