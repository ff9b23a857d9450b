#include "cloud/local/network.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "cloud/local/marks.h"
#include "os/file.h"
#include "os/process.h"

namespace hive::cloud::local {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const std::string& text) {
  auto out = split(text, '\n');
  std::erase_if(out, [](const std::string& line) { return trim(line).empty(); });
  return out;
}

// The range of "10.77.3.0/24" or "10.77.3.4"; nothing for other words.
bool range_of(const std::string& word, std::uint32_t& first, std::uint32_t& last) {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  unsigned bits = 32;
  const int got = std::sscanf(word.c_str(), "%u.%u.%u.%u/%u", &a, &b, &c, &d, &bits);
  if (got < 4 || a > 255 || b > 255 || c > 255 || d > 255 || bits > 32) return false;
  const std::uint32_t address = (a << 24U) | (b << 16U) | (c << 8U) | d;
  const std::uint32_t mask = bits == 0 ? 0 : 0xffffffffU << (32 - bits);
  first = address & mask;
  last = first | ~mask;
  return true;
}

std::string attribute(const std::string& link, const char* name) {
  const auto text = os::read_file(fs::path("/sys/class/net") / link / name, 4096);
  return text ? std::string(trim(*text)) : std::string();
}

std::vector<std::string> links() {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at("/sys/class/net", error), end; !error && at != end;
       at.increment(error))
    out.push_back(at->path().filename().string());
  return out;
}

bool forward_drops() {
  const auto on = os::read_file("/proc/sys/net/bridge/bridge-nf-call-iptables", 64);
  if (!on || trim(*on) != "1") return false;
  const auto rules = os::run_ok({"iptables", "-w", "-S", "FORWARD"});
  return rules && rules->find("-P FORWARD DROP") != std::string::npos;
}

Status ensure_forwarding(const Paths& paths, const LocalCluster& cluster) {
  if (!forward_drops()) return {};
  const std::vector<std::string> rule{
      "FORWARD", "-i",        cluster.bridge,       "-o", cluster.bridge, "-m",
      "comment", "--comment", firewall_mark(paths), "-j", "ACCEPT"};
  std::vector<std::string> check{"iptables", "-w", "-C"};
  check.insert(check.end(), rule.begin(), rule.end());
  HIVE_ASSIGN(const auto there, os::run(check));
  if (there.exit_code == 0) return {};
  std::vector<std::string> insert{"iptables", "-w", "-I"};
  insert.insert(insert.end(), rule.begin(), rule.end());
  HIVE_TRY(os::run_ok(insert));
  return {};
}

int remove_rules(const Paths& paths) {
  if (!os::find_program("iptables")) return 0;
  const auto rules = os::run_ok({"iptables", "-w", "-S", "FORWARD"});
  int removed = 0;
  if (!rules) return removed;
  for (const auto& line : lines_of(*rules)) {
    const auto words = removal_of_rule(line, firewall_mark(paths));
    if (!words) continue;
    std::vector<std::string> command{"iptables", "-w"};
    command.insert(command.end(), words->begin(), words->end());
    if (os::run_ok(command)) ++removed;
  }
  return removed;
}

}  // namespace

Result<int> choose_network(const Paths& paths, const std::string& subnet) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> taken;
  for (const auto& command : {std::vector<std::string>{"ip", "-4", "route", "show", "table", "all"},
                              std::vector<std::string>{"ip", "-4", "-o", "addr", "show"}}) {
    HIVE_ASSIGN(const std::string text, os::run_ok(command));
    for (const auto& line : lines_of(text))
      for (const auto& word : split(line, ' ')) {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
        if (range_of(word, first, last) && last - first < 0xffffffffU)
          taken.emplace_back(first, last);
      }
  }
  std::set<int> recorded;
  std::error_code error;
  for (fs::directory_iterator at(paths.state.parent_path(), error), end; !error && at != end;
       at.increment(error))
    if (const auto other = read_cluster(at->path().filename().string()))
      recorded.insert(other->network);
  for (int n = 0; n < 256; ++n) {
    const std::uint32_t first = (10U << 24U) | (77U << 16U) | (static_cast<unsigned>(n) << 8U);
    const bool overlaps = std::any_of(taken.begin(), taken.end(), [&](const auto& range) {
      return range.first <= first + 255 && range.second >= first;
    });
    if (!subnet.empty() && subnet != fmt::format("10.77.{}.0/24", n)) continue;
    if (!overlaps && !recorded.contains(n) &&
        !fs::exists(fmt::format("/sys/class/net/hivebr{}", n)))
      return n;
  }
  if (!subnet.empty())
    return fail(Errc::kAlreadyExists, subnet +
                                          " is in use on this machine; choose another "
                                          "x-hive.subnet, or leave it out");
  return fail(Errc::kResourceExhausted,
              "all of 10.77.0.0/16 is routed already on this machine; remove another cluster with "
              "`hive down` or free a /24 of it");
}

Status ensure_network(const Paths& paths, const LocalCluster& cluster) {
  const std::string mark = bridge_mark(paths);
  if (fs::exists("/sys/class/net/" + cluster.bridge)) {
    if (attribute(cluster.bridge, "address") != mark)
      return fail(Errc::kAlreadyExists,
                  fmt::format("the link {} is there and was not made by this cluster; remove it or "
                              "choose another network with `hive down` and `hive up`",
                              cluster.bridge));
  } else {
    // The mark comes with the creation: killed right after it, the bridge is still known.
    HIVE_TRY(os::run_ok(
        {"ip", "link", "add", "name", cluster.bridge, "address", mark, "type", "bridge"}));
  }
  os::RunOptions options;
  options.input = fmt::format("addr replace {}/24 dev {}\nlink set {} up\n", cluster.gateway,
                              cluster.bridge, cluster.bridge);
  HIVE_TRY(os::run_ok({"ip", "-batch", "-"}, options));
  return ensure_forwarding(paths, cluster);
}

LinkTool link_tool() {
  return {[](const std::string& link) { return fs::exists("/sys/class/net/" + link); },
          [](const std::vector<std::string>& words, const std::string& input) -> Status {
            std::vector<std::string> command{"ip"};
            command.insert(command.end(), words.begin(), words.end());
            os::RunOptions options;
            options.input = input;
            HIVE_TRY(os::run_ok(command, options));
            return {};
          }};
}

Status plug_in(const LocalCluster& cluster, int host_number, pid_t pid, const LinkTool& links) {
  const std::string name = fmt::format("hv{}-{}", cluster.network, host_number);
  if (links.there(name)) {
    auto removed = links.ip({"link", "del", name}, "");
    if (!removed && links.there(name)) return removed;
  }
  return links.ip(
      {"-batch", "-"},
      fmt::format("link add {} type veth peer name eth0 netns {}\nlink set {} master {} up\n", name,
                  pid, name, cluster.bridge));
}

Result<NetworkRemoval> remove_network(const Paths& paths) {
  NetworkRemoval out;
  const std::string mark = bridge_mark(paths);
  Status status;
  const auto remove = [&](const std::string& link) {
    ++out.links;
    const auto done = os::run_ok({"ip", "link", "del", link});
    // It may have gone with its namespace meanwhile.
    if (!done && fs::exists("/sys/class/net/" + link)) status = tl::unexpected(done.error());
  };
  for (const auto& link : links()) {
    if (!link.starts_with("hivebr") || attribute(link, "address") != mark) continue;
    const std::string veths = "hv" + link.substr(6) + "-";
    for (const auto& other : links())
      if (other.starts_with(veths)) remove(other);
    remove(link);
  }
  out.rules = remove_rules(paths);
  if (!status) return tl::unexpected(status.error());
  return out;
}

}  // namespace hive::cloud::local
