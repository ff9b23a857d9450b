"""Classic load balancers: instances registered once, healthy after checks, drained when they leave.
With listeners (HAProxy), health and open connections are what it sees; without, an instance passes its
checks as long as it runs."""
import dataclasses

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidInstanceIdError
from moto.elb.exceptions import ELBClientError, LoadBalancerNotFoundError
from moto.elb.models import ELBBackend, FakeListener, LoadBalancer
from moto.elb.responses import ELBResponse

REGISTERING = "Instance registration is still in progress."
LEAVING = "Instance deregistration currently in progress."
FAILING = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
STOPPED = "Instance is in stopped state."
IDLE = "Instance is in pending state."


class InvalidInstance(ELBClientError):
    def __init__(self, instance_id):
        super().__init__("InvalidInstance", f"Could not find EC2 instance {instance_id}.")


@dataclasses.dataclass
class Target:
    since: float
    in_service: bool = False
    was_in_service: bool = False
    drain_until: float | None = None
    connections: int = 0


class Balancers:
    def __init__(self, world):
        self.world = world
        self.reset()

    def reset(self):
        self.targets = {}  # balancer -> {instance id: Target}

    def install(self):
        me = self
        ELBBackend.register_instances = lambda backend, name, ids, from_autoscaling=False: \
            me.register(name, ids)
        ELBBackend.deregister_instances = lambda backend, name, ids, from_autoscaling=False: \
            me.deregister(name, ids)
        delete = ELBBackend.delete_load_balancer

        def delete_load_balancer(backend, name):
            me.targets.pop(name, None)
            if me.world.listeners:
                me.world.listeners.gone(name)
            delete(backend, name)

        def delete_listeners(backend, name, ports):
            balancer = me.find(name)
            gone = {int(port) for port in ports}
            balancer.listeners = [one for one in balancer.listeners
                                  if int(one.load_balancer_port) not in gone]
            return balancer

        ELBBackend.delete_load_balancer = delete_load_balancer
        ELBBackend.delete_load_balancer_listeners = delete_listeners
        ELBResponse.describe_instance_health = lambda response: ActionResult(
            {"InstanceStates": me.health(response._get_param("LoadBalancerName"),
                                         response._get_param("Instances", []))})
        ELBResponse.register_instances_with_load_balancer = lambda response: me._answer(
            response, me.register)
        ELBResponse.deregister_instances_from_load_balancer = lambda response: me._answer(
            response, me.deregister)
        self._keep_protocols()
        self._name_addresses()

    @staticmethod
    def _answer(response, act):
        ids = [one["InstanceId"] for one in response._get_param("Instances", [])]
        balancer = act(response._get_param("LoadBalancerName"), ids)
        return ActionResult({"Instances": balancer.instances})

    @staticmethod
    def _keep_protocols():
        """moto forgets a listener's InstanceProtocol."""
        FakeListener.instance_protocol = property(
            lambda one: getattr(one, "_instance_protocol", one.protocol))
        begin, add = LoadBalancer.__init__, ELBBackend.create_load_balancer_listeners

        def note(balancer, ports):
            named = {str(port.get("LoadBalancerPort")): port.get("InstanceProtocol") for port in ports}
            for one in balancer.listeners:
                if protocol := named.get(str(one.load_balancer_port)):
                    one._instance_protocol = protocol.upper()

        def init(balancer, *args, **words):
            begin(balancer, *args, **words)
            note(balancer, words.get("ports") or [])

        def create_listeners(backend, name, ports):
            if name not in backend.load_balancers:
                raise LoadBalancerNotFoundError(name)
            balancer = add(backend, name, ports)
            note(balancer, ports)
            return balancer

        LoadBalancer.__init__, ELBBackend.create_load_balancer_listeners = init, create_listeners

    def _name_addresses(self):
        """With listeners, DNSName is where the balancer listens."""
        me, create = self, ELBBackend.create_load_balancer

        def create_load_balancer(backend, name, *args, **words):
            balancer = create(backend, name, *args, **words)
            balancer.dns_name = (me.world.listeners.address(name) if me.world.listeners else
                                 f"{name}-1234567890.{me.world.region}.elb.amazonaws.com")
            return balancer

        ELBBackend.create_load_balancer = create_load_balancer

    # --- registration
    def find(self, name):
        balancer = self.world.backend("elb").load_balancers.get(name)
        if balancer is None:
            raise LoadBalancerNotFoundError(name)
        return balancer

    def register(self, name, ids):
        balancer = self.find(name)
        backend, targets = self.world.backend("ec2"), self.targets.setdefault(name, {})
        for one in ids:
            try:
                backend.get_instance(one)
            except InvalidInstanceIdError as error:
                raise InvalidInstance(one) from error
        for one in ids:
            if one not in targets or targets[one].drain_until is not None:
                targets[one] = Target(self.world.clock.now())
            if one not in balancer.instance_sparse_ids:
                balancer.instance_sparse_ids.append(one)
        return balancer

    def deregister(self, name, ids):
        balancer = self.find(name)
        targets = self.targets.get(name, {})
        balancer.instance_sparse_ids = [one for one in balancer.instance_sparse_ids if one not in ids]
        draining = balancer.attributes.get("connection_draining") or {}
        on = str(draining.get("enabled", draining.get("Enabled", False))).lower() == "true"
        # moto writes a default beside what was asked for.
        seconds = float(draining.get("Timeout", draining.get("timeout", 300)))
        for one in ids:
            target = targets.get(one)
            if target is None or target.drain_until is not None:
                continue
            target.drain_until = self.world.clock.now() + (seconds if on else 0)
        return balancer

    def has(self, name):
        return name in self.world.backend("elb").load_balancers

    def drains(self, instance_id):
        """Whether any balancer still lets its requests end."""
        return any(instance_id in targets for targets in self.targets.values())

    # --- as time goes on
    def tick(self):
        now = self.world.clock.now()
        for name, balancer in list(self.world.backend("elb").load_balancers.items()):
            targets = self.targets.setdefault(name, {})
            seen = self.world.listeners.look(balancer, targets) if self.world.listeners else None
            for one, target in list(targets.items()):
                self._check(balancer, one, target, seen)
                if target.drain_until is not None and (now >= target.drain_until
                                                       or not self._is_busy(target)):
                    del targets[one]
            if self.world.listeners:
                self.world.listeners.serve(balancer, targets)

    def _is_busy(self, target):
        return target.connections > 0 if self.world.listeners else self.world.settings.open_connections

    def _check(self, balancer, instance_id, target, seen):
        if seen is not None:
            target.in_service, target.connections = seen.get(instance_id, (False, 0))
        else:
            instance = self.world.instances.get(instance_id)
            check = balancer.health_check
            wait = int(check.interval) * int(check.healthy_threshold) if check else 0
            target.in_service = (instance is not None and instance.state == "running" and
                                 self.world.clock.now() >= target.since + wait)
        target.was_in_service = target.was_in_service or target.in_service

    # --- what is told of it
    def says_out_of_service(self, instance_id):
        """Whether a balancer has it, had it in service, and has it no more."""
        return any(instance_id in targets and targets[instance_id].was_in_service
                   and not targets[instance_id].in_service for targets in self.targets.values())

    def health(self, name, asked):
        self.find(name)
        targets = self.targets.get(name, {})
        ids = [one["InstanceId"] for one in asked] or list(targets)
        return [self._state_of(one, targets.get(one)) for one in ids]

    def _state_of(self, instance_id, target):
        state, code, words = "InService", "N/A", "N/A"
        instance = self.world.instances.get(instance_id)
        if target is None:
            if instance is None:
                raise InvalidInstance(instance_id)
            state, code, words = "Unknown", "ELB", "Instance is not registered."
        elif target.drain_until is not None:
            words = LEAVING
        elif instance is None or instance.state not in ("running", "pending"):
            state, code, words = "OutOfService", "Instance", STOPPED
        elif not target.in_service and not target.was_in_service:
            state, code, words = "OutOfService", "ELB", REGISTERING
        elif not target.in_service:
            state, code, words = "OutOfService", "Instance", FAILING
        return {"InstanceId": instance_id, "State": state, "ReasonCode": code, "Description": words}
