#include <algorithm>

#include "base/text.h"
#include "cli/service_flags.h"

namespace hive::cli {
namespace {

constexpr const char* kListenersLabel = "hive.listeners";

Result<std::int64_t> parse_port(const std::string& word, const std::string& whole) {
  const bool digits =
      !word.empty() && word.size() <= 5 &&
      std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
  const std::int64_t port = digits ? std::stoll(word) : 0;
  if (port < 1 || port > 65535)
    return fail(Errc::kInvalidArgument,
                "--publish " + whole + ": '" + word + "' is no port (1 to 65535)");
  return port;
}

struct Range {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

Result<Range> parse_range(const std::string& word, const std::string& whole) {
  const auto dash = word.find('-');
  HIVE_ASSIGN(const auto first, parse_port(word.substr(0, dash), whole));
  if (dash == std::string::npos) return Range{first, first};
  HIVE_ASSIGN(const auto last, parse_port(word.substr(dash + 1), whole));
  if (last < first)
    return fail(Errc::kInvalidArgument, "--publish " + whole + ": range " + word + " is backwards");
  return Range{first, last};
}

Result<std::string> checked_protocol(const std::string& word, const std::string& whole) {
  if (word == "tcp" || word == "udp" || word == "sctp") return word;
  return fail(Errc::kInvalidArgument,
              "--publish " + whole + ": protocol '" + word + "' is not tcp, udp or sctp");
}

Result<std::vector<Publish>> parse_long(const std::string& text) {
  Publish publish;
  for (const auto& field : split(text, ',')) {
    const auto equals = field.find('=');
    const std::string key = field.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : field.substr(equals + 1);
    if (key == "target") {
      HIVE_ASSIGN(publish.target, parse_port(value, text));
    } else if (key == "published") {
      HIVE_ASSIGN(publish.published, parse_port(value, text));
    } else if (key == "protocol") {
      HIVE_ASSIGN(publish.protocol, checked_protocol(value, text));
    } else if (key == "mode" && (value == "host" || value == "ingress")) {
      publish.host = value == "host";
    } else {
      return fail(Errc::kInvalidArgument,
                  "--publish " + text + ": '" + field +
                      "' is not one of target=, published=, protocol=, mode=host|ingress");
    }
  }
  if (publish.target == 0)
    return fail(Errc::kInvalidArgument, "--publish " + text + ": target= is missing");
  return std::vector<Publish>{publish};
}

Json listeners_of(const Json& spec) {
  const Json* labels = json_member(spec, "Labels");
  if (labels != nullptr && labels->contains(kListenersLabel) &&
      (*labels)[kListenersLabel].is_string()) {
    if (auto parsed = parse_json((*labels)[kListenersLabel].get<std::string>(), kListenersLabel);
        parsed && parsed->is_array())
      return *parsed;
  }
  return Json::array();
}

void store_listeners(const Json& listeners, Json& spec) {
  if (listeners.empty()) {
    if (spec.contains("Labels") && spec["Labels"].is_object())
      spec["Labels"].erase(kListenersLabel);
  } else {
    spec["Labels"][kListenersLabel] = listeners.dump();
  }
}

}  // namespace

Result<std::vector<Publish>> parse_publish(const std::string& text) {
  if (text.find('=') != std::string::npos) return parse_long(text);
  std::string ports = text;
  std::string protocol = "tcp";
  if (const auto slash = ports.find('/'); slash != std::string::npos) {
    HIVE_ASSIGN(protocol, checked_protocol(ports.substr(slash + 1), text));
    ports.resize(slash);
  }
  const auto parts = split(ports, ':');
  if (parts.size() > 2)
    return fail(Errc::kInvalidArgument, "--publish " + text +
                                            ": an address cannot be named; a service is published "
                                            "on every node. Write [PUBLISHED:]TARGET[/PROTOCOL]");
  HIVE_ASSIGN(const auto target, parse_range(parts.back(), text));
  Range published;
  if (parts.size() == 2) {
    HIVE_ASSIGN(published, parse_range(parts.front(), text));
    if (published.last - published.first != target.last - target.first)
      return fail(Errc::kInvalidArgument,
                  "--publish " + text + ": the two ranges are not of one length");
  }
  std::vector<Publish> all;
  for (std::int64_t i = 0; i <= target.last - target.first; ++i)
    all.push_back(
        {published.first == 0 ? 0 : published.first + i, target.first + i, protocol, false});
  return all;
}

Status add_publish(const Publish& publish, Json& spec) {
  Json& endpoint = spec["EndpointSpec"];
  if (!endpoint.is_object()) endpoint = Json::object();
  if (!endpoint.contains("Ports") || !endpoint["Ports"].is_array())
    endpoint["Ports"] = Json::array();
  Json& ports = endpoint["Ports"];
  const bool listener = !publish.host && publish.published != 0 && publish.protocol == "tcp";
  const std::int64_t bound = publish.host ? publish.published : 0;
  const bool there = std::any_of(ports.begin(), ports.end(), [&](const Json& port) {
    return json_int(port, "TargetPort") == publish.target &&
           json_int(port, "PublishedPort") == bound &&
           json_string(port, "Protocol", "tcp") == publish.protocol;
  });
  if (!there) {
    Json port = {
        {"Protocol", publish.protocol}, {"TargetPort", publish.target}, {"PublishMode", "host"}};
    if (bound != 0) port["PublishedPort"] = bound;
    ports.push_back(std::move(port));
  }
  if (!publish.host && publish.published != 0 && publish.protocol != "tcp")
    return fail(Errc::kUnsupported,
                "--publish " + std::to_string(publish.published) + "/" + publish.protocol +
                    ": the edges pass on TCP only. Bind it on the nodes themselves: published=" +
                    std::to_string(publish.published) +
                    ",target=" + std::to_string(publish.target) + ",protocol=" + publish.protocol +
                    ",mode=host");
  if (!listener) return {};
  Json listeners = listeners_of(spec);
  for (auto it = listeners.begin(); it != listeners.end();) {
    it = json_int(*it, "port") == publish.published ? listeners.erase(it) : it + 1;
  }
  listeners.push_back(
      {{"port", publish.published}, {"target", publish.target}, {"protocol", publish.protocol}});
  store_listeners(listeners, spec);
  return {};
}

Status remove_publish(const std::string& text, Json& spec) {
  HIVE_ASSIGN(const auto gone, parse_publish(text));
  Json listeners = listeners_of(spec);
  for (const auto& publish : gone) {
    bool found = false;
    for (auto it = listeners.begin(); it != listeners.end();) {
      const bool match = json_int(*it, "target") == publish.target &&
                         json_string(*it, "protocol", "tcp") == publish.protocol;
      found = found || match;
      it = match ? listeners.erase(it) : it + 1;
    }
    Json* endpoint = spec.contains("EndpointSpec") ? &spec["EndpointSpec"] : nullptr;
    if (endpoint != nullptr && endpoint->contains("Ports") && (*endpoint)["Ports"].is_array()) {
      Json& ports = (*endpoint)["Ports"];
      for (auto it = ports.begin(); it != ports.end();) {
        const bool match = json_int(*it, "TargetPort") == publish.target &&
                           json_string(*it, "Protocol", "tcp") == publish.protocol;
        found = found || match;
        it = match ? ports.erase(it) : it + 1;
      }
    }
    if (!found)
      return fail(Errc::kNotFound, "--publish-rm " + text + ": the service publishes no port " +
                                       std::to_string(publish.target) + "/" + publish.protocol);
  }
  store_listeners(listeners, spec);
  return {};
}

}  // namespace hive::cli
