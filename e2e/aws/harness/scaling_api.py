"""Auto Scaling's operations that moto lacks, or answers without the effect."""
import functools

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import LifecycleHook
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from .lifecycle import RESULTS, check_hook


class AlreadyExists(AutoscalingClientError):
    code = "AlreadyExists"


def install(scaling):
    """Changes moto's class of responses; once a process."""
    def operation(function):
        setattr(AutoScalingResponse, function.__name__, function)
        return function

    def hooks_of(response, group, specifications):
        for words in specifications or []:
            if wrong := check_hook(words):
                raise ValidationError(wrong)
        for words in specifications or []:
            response.autoscaling_backend.create_lifecycle_hook(
                name=words["LifecycleHookName"], as_name=group,
                transition=words["LifecycleTransition"], timeout=words.get("HeartbeatTimeout"),
                result=words.get("DefaultResult"))

    def note_policy(params):
        triggers = (params.get("InstanceLifecyclePolicy") or {}).get("RetentionTriggers") or {}
        if "TerminateHookAbandon" in triggers:
            keep = triggers["TerminateHookAbandon"] == "retain"
            (scaling.retain.add if keep else scaling.retain.discard)(params["AutoScalingGroupName"])

    create, update = (AutoScalingResponse.create_auto_scaling_group,
                      AutoScalingResponse.update_auto_scaling_group)

    @operation
    @functools.wraps(create)
    def create_auto_scaling_group(self):
        params = self._get_params()
        if params["AutoScalingGroupName"] in self.autoscaling_backend.autoscaling_groups:
            raise AlreadyExists("AutoScalingGroup by this name already exists - A group with the name "
                                f"{params['AutoScalingGroupName']} already exists")
        specifications = params.get("LifecycleHookSpecificationList")
        for words in specifications or []:
            if wrong := check_hook(words):
                raise ValidationError(wrong)
        done = create(self)
        hooks_of(self, params["AutoScalingGroupName"], specifications)
        note_policy(params)
        return done

    @operation
    @functools.wraps(update)
    def update_auto_scaling_group(self):
        done = update(self)
        note_policy(self._get_params())
        return done

    @operation
    def put_lifecycle_hook(self):
        words = self._get_params()
        group, name = words["AutoScalingGroupName"], words["LifecycleHookName"]
        scaling.group(group)
        if wrong := check_hook(words):
            raise ValidationError(wrong)
        there = self.autoscaling_backend.lifecycle_hooks.get(f"{group}_{name}")
        if there is None:
            hooks_of(self, group, [words])
            return EmptyResult()
        # An update keeps what it does not name.
        there.heartbeat_timeout = words.get("HeartbeatTimeout") or there.heartbeat_timeout
        there.default_result = words.get("DefaultResult") or there.default_result
        there.lifecycle_transition = words.get("LifecycleTransition") or there.lifecycle_transition
        return EmptyResult()

    def waiting_action(self):
        words = self._get_params()
        instance, token = words.get("InstanceId"), words.get("LifecycleActionToken")
        group, hook = words["AutoScalingGroupName"], words["LifecycleHookName"]
        if not instance and not token:
            raise ValidationError("Either InstanceId or LifecycleActionToken is required")
        for found, actions in scaling.actions.items():
            member = scaling.member(found)
            if instance in (None, found) and member and member[0].name == group:
                if action := actions.find(hook, token):
                    return action
        raise ValidationError("No active Lifecycle Action found with " +
                              (f"instance ID {instance}" if instance else f"token {token}"))

    @operation
    def complete_lifecycle_action(self):
        result = self._get_param("LifecycleActionResult")
        if result not in RESULTS:
            raise ValidationError(f"Lifecycle action result must be one of CONTINUE, ABANDON, not {result}")
        waiting_action(self).result = result
        return EmptyResult()

    @operation
    def record_lifecycle_action_heartbeat(self):
        waiting_action(self).heartbeat(scaling.world.clock.now())
        return EmptyResult()

    @operation
    def delete_auto_scaling_group(self):
        scaling.delete(self._get_param("AutoScalingGroupName"),
                       self._get_bool_param("ForceDelete", False))
        return EmptyResult()

    @operation
    def put_warm_pool(self):
        words = self._get_params()
        scaling.pools.put(scaling.group(words["AutoScalingGroupName"]), words)
        return EmptyResult()

    @operation
    def describe_warm_pool(self):
        group = scaling.group(self._get_param("AutoScalingGroupName"))
        return ActionResult({"WarmPoolConfiguration": group.warm_pool,
                             "Instances": scaling.pools.members[group.name]})

    @operation
    def delete_warm_pool(self):
        scaling.delete_pool(self._get_param("AutoScalingGroupName"),
                            self._get_bool_param("ForceDelete", False))
        return EmptyResult()

    @operation
    def set_desired_capacity(self):
        name, wanted = self._get_param("AutoScalingGroupName"), self._get_int_param("DesiredCapacity")
        group = self.autoscaling_backend.autoscaling_groups.get(name)
        if group is None:
            raise ValidationError("AutoScalingGroup name not found - null")
        for wrong, word, bound in ((wanted > group.max_size, "above max", group.max_size),
                                   (wanted < group.min_size, "below min", group.min_size)):
            if wrong:
                raise ValidationError(f"New SetDesiredCapacity value {wanted} is {word} value "
                                      f"{bound} for the AutoScalingGroup.")
        group.set_desired_capacity(wanted)
        return EmptyResult()

    @operation
    def terminate_instance_in_auto_scaling_group(self):
        activity = scaling.terminate(self._get_param("InstanceId"),
                                     self._get_bool_param("ShouldDecrementDesiredCapacity", False))
        return ActionResult({"Activity": activity})

    @operation
    def describe_scaling_activities(self):
        name = self._get_param("AutoScalingGroupName")
        found = [one for group, activities in scaling.activities.items() if name in (None, group)
                 for one in activities]
        most = self._get_int_param("MaxRecords") or 100
        return ActionResult({"Activities": found[::-1][:most]})

    begin = LifecycleHook.__init__

    def plain_hook(self, *args, **words):
        begin(self, *args, **words)
        # moto names a role and a queue that nobody asked for.
        self.role_arn = self.notification_target_arn = None
        self.global_timeout = min(172800, 100 * int(self.heartbeat_timeout))

    LifecycleHook.__init__ = plain_hook
