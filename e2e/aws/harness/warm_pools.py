"""Warm pools of Auto Scaling groups. An instance that enters one goes
    Warmed:Pending -> Warmed:Pending:Wait -> Warmed:Pending:Proceed -> Warmed:Stopped or Warmed:Running
and on as a member that is Pending once the group takes it (scaling.py). As long as it is in the pool it
is none of the group's instances, and its desired capacity does not count it."""
import collections

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, FakeWarmPool

WARMED = "Warmed:"
GOING = "PendingDelete"
STATES = ("Stopped", "Running")
ENDING = (WARMED + "Terminating", WARMED + "Terminating:Wait", WARMED + "Terminating:Proceed")


class WarmPools:
    def __init__(self, scaling):
        self._scaling = scaling
        self.members = collections.defaultdict(list)  # group's name -> of its pool

    def install(self):
        """Once a process: moto's classes are changed."""
        me, described = self._scaling, AutoScalingBackend.describe_auto_scaling_instances

        def describe_auto_scaling_instances(backend, instance_ids):
            return described(backend, instance_ids) + [
                one for members in me.pools.members.values() for one in members
                if not instance_ids or one.instance_id in instance_ids]

        AutoScalingBackend.describe_auto_scaling_instances = describe_auto_scaling_instances
        FakeAutoScalingGroup.warm_pool_size = property(
            lambda group: len(me.pools.members[group.name]) if group.warm_pool else None)

    # --- orders
    def put(self, group, words):
        """PutWarmPool. What an update does not name it keeps."""
        there = group.warm_pool
        if there and there.status:
            raise ValidationError("You cannot update a warm pool that is being deleted")
        state = words.get("PoolState") or (there.pool_state if there else STATES[0])
        if state not in STATES:
            raise ValidationError(f"Warm pools in state {state} are not emulated")
        least, most = words.get("MinSize"), words.get("MaxGroupPreparedCapacity")
        reuse = words.get("InstanceReusePolicy")
        if there:
            least = there.min_size if least is None else least
            most = there.max_group_prepared_capacity if most is None else most
            reuse = there.instance_reuse_policy if reuse is None else reuse
        if (reuse or {}).get("ReuseOnScaleIn"):
            raise ValidationError("Instances that return to their warm pool are not emulated")
        group.warm_pool = FakeWarmPool(None if most == -1 else most, least, state, reuse)
        group.warm_pool.status = None

    def delete(self, group):
        """With its instances, held by no hook; what is left of it goes with the last of them."""
        for member in self.members[group.name]:
            self._scaling.end_now(group, member)
        if group.warm_pool:
            group.warm_pool.status = GOING

    # --- as time goes on
    def fit(self, group):
        """The pool has as many as it should."""
        pool, members = group.warm_pool, self.members[group.name]
        if pool is None or pool.status:
            if not members:
                group.warm_pool = None
            return
        staying = [one for one in members if one.lifecycle_state not in ENDING]
        missing = self._size(group) - len(staying)
        if missing > 0 and not self._scaling.is_suspended(group, "Launch"):
            self._scaling.launch(group, missing, WARMED + "Pending", members)
        elif missing < 0 and not self._scaling.is_suspended(group, "Terminate"):
            for member in staying[missing:]:  # the youngest
                self._scaling.begin_end(group, member, "in response to the size of its warm pool")

    @staticmethod
    def _size(group):
        most = group.warm_pool.max_group_prepared_capacity
        prepared = group.max_size if most is None else most
        return max(prepared - (group.desired_capacity or 0), group.warm_pool.min_size)

    def rest(self, group, member):
        """Its hooks are complete."""
        state, machine = group.warm_pool.pool_state, member.instance
        if state == "Stopped" and machine.state == "running":
            machine.stop()
        if machine.state == state.lower():
            member.lifecycle_state = WARMED + state
            self._scaling.end_activity(member, "Successful")

    def take(self, group, count):
        """Up to so many that are ready become members of the group, which wait for their hooks again."""
        if group.warm_pool is None or group.warm_pool.status:
            return 0
        ready = [one for one in self.members[group.name]
                 if one.lifecycle_state in (WARMED + "Stopped", WARMED + "Running")][:count]
        for member in ready:
            self.members[group.name].remove(member)
            group.instance_states.append(member)
            member.lifecycle_state = "Pending"
            if member.instance.state == "stopped":
                member.instance.start()
            self._scaling.note(group, "Launching", member, "an instance was taken from the warm pool in "
                               "response to a difference between desired and actual capacity")
        return len(ready)
