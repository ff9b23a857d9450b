"""The VPC of real machines: 10.78.N.0/24 on a bridge, this machine at .1; subnets in three zones, and
addresses from .200 on for the balancers. All subnets are one link: nothing routes between them."""
import pathlib
import subprocess

NETWORKS = 64
# Their bridges are numbered above those of the local cloud's clusters, which have up to 255.
FIRST_BRIDGE = 300
FIRST_BALANCER, LAST_BALANCER = 200, 250
LINKS = pathlib.Path("/sys/class/net")


def run(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done


class Network:
    def __init__(self, paths):
        self._paths = paths
        self._make_bridge()
        self.gateway = f"10.78.{self.number}.1"
        self.cidr = f"10.78.{self.number}.0/24"
        run("ip", "addr", "add", self.gateway + "/24", "dev", self.bridge)
        run("ip", "link", "set", self.bridge, "up")
        self._let_through()
        self._balancers = {}

    def _make_bridge(self):
        for number in range(NETWORKS):
            bridge = f"hivebr{FIRST_BRIDGE + number}"
            if f"10.78.{number}." in run("ip", "-4", "route", "show", "table", "all").stdout:
                continue
            # The mark comes with the link: killed right after, it is still known.
            made = run("ip", "link", "add", "name", bridge, "address", self._paths.link_mark,
                       "type", "bridge", check=False)
            if made.returncode == 0:
                self.number, self.bridge = number, bridge
                return
        raise OSError("no network 10.78.N.0/24 is free on this machine")

    def _let_through(self):
        """Engines make FORWARD drop, also what is bridged where netfilter sees bridges."""
        switch = pathlib.Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
        if not switch.exists() or switch.read_text().strip() != "1":
            return
        if "-P FORWARD DROP" in run("iptables", "-w", "-S", "FORWARD").stdout:
            run("iptables", "-w", "-I", "FORWARD", "-i", self.bridge, "-o", self.bridge, "-m", "comment",
                "--comment", self._paths.rule_mark, "-j", "ACCEPT")

    def subnets(self, region):
        """[(zone, CIDR block)]"""
        return [(region + zone, f"10.78.{self.number}.{first}/26")
                for zone, first in (("a", 0), ("b", 64), ("c", 128))]

    def plug_in(self, address, pid):
        """A link of which one end is on the bridge, the other is eth0 of the process's namespace."""
        link = f"hv{FIRST_BRIDGE + self.number}-{address.rpartition('.')[2]}"
        if (LINKS / link).exists():  # of an earlier life, perhaps just going by itself
            run("ip", "link", "del", link, check=False)
        run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        run("ip", "link", "set", link, "master", self.bridge, "up")

    def add_address(self, address):
        run("ip", "addr", "add", address + "/24", "dev", self.bridge)

    def balancer_address(self, name):
        if name not in self._balancers:
            taken = set(self._balancers.values())
            number = next(one for one in range(FIRST_BALANCER, LAST_BALANCER)
                          if f"10.78.{self.number}.{one}" not in taken)
            self._balancers[name] = f"10.78.{self.number}.{number}"
            self.add_address(self._balancers[name])
        return self._balancers[name]


def make_vpc(ec2, network, region):
    """The account's default VPC, with the network's addresses in place of moto's."""
    old = ec2.get_default_vpc()
    for subnet in ec2.describe_subnets(filters={"vpc-id": old.id}):
        ec2.delete_subnet(subnet.id)
    ec2.delete_vpc(old.id)
    vpc = ec2.create_vpc(network.cidr, is_default=True, tags=[{"Key": "Name", "Value": "main"}])
    ec2.default_vpc = vpc
    for zone, cidr in network.subnets(region):
        ec2.create_subnet(vpc.id, cidr, availability_zone=zone)
