#include "cloud/aws/elb.h"

namespace hive::cloud::aws {
namespace {

void put_listeners(Form& form, const BalancerListener* listener, std::size_t index) {
  const std::string at = nth("Listeners.member", index);
  form.set(at + ".Protocol", listener->protocol).set(at + ".LoadBalancerPort", listener->port);
  form.set(at + ".InstanceProtocol", listener->instance_protocol);
  form.set(at + ".InstancePort", listener->instance_port);
  form.set_unless_empty(at + ".SSLCertificateId", listener->certificate);
}

void put_instances(Form& form, const std::vector<std::string>& instances) {
  for (std::size_t i = 0; i < instances.size(); ++i)
    form.set(nth("Instances.member", i) + ".InstanceId", instances[i]);
}

BalancerListener read_listener(const Element& from) {
  return {.port = from.number_at<std::uint16_t>("Listener/LoadBalancerPort"),
          .instance_port = from.number_at<std::uint16_t>("Listener/InstancePort"),
          .protocol = from.text_at("Listener/Protocol"),
          .instance_protocol = from.text_at("Listener/InstanceProtocol"),
          .certificate = from.text_at("Listener/SSLCertificateId")};
}

Balancer read_balancer(const Element& from) {
  Balancer out{.name = from.text_at("LoadBalancerName"),
               .dns_name = from.text_at("DNSName"),
               .internal = from.text_at("Scheme") == "internal"};
  for (const Element* one : from.list_at("Subnets")) out.subnets.insert(one->text);
  for (const Element* one : from.list_at("SecurityGroups")) out.security_groups.insert(one->text);
  for (const Element* one : from.list_at("ListenerDescriptions"))
    out.listeners.insert(read_listener(*one));
  for (const Element* one : from.list_at("Instances"))
    out.instances.insert(one->text_at("InstanceId"));
  if (const Element* health = from.at("HealthCheck"))
    out.health = {.target = health->text_at("Target"),
                  .interval_s = health->number_at<std::uint32_t>("Interval"),
                  .timeout_s = health->number_at<std::uint32_t>("Timeout"),
                  .unhealthy = health->number_at<std::uint32_t>("UnhealthyThreshold"),
                  .healthy = health->number_at<std::uint32_t>("HealthyThreshold")};
  return out;
}

}  // namespace

Result<Balancer> describe_balancer(Client& client, const std::string& name) {
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kDescribeLoadBalancers,
                                                 Form().set("LoadBalancerNames.member.1", name)));
  for (const auto& page : pages)
    for (const Element* one : page.list_at("LoadBalancerDescriptions")) return read_balancer(*one);
  return fail(Errc::kNotFound, "there is no load balancer " + name);
}

Result<Tags> balancer_tags(Client& client, const std::string& name) {
  HIVE_ASSIGN(const auto answer, client.query(Op::kDescribeLoadBalancerTags,
                                              Form().set("LoadBalancerNames.member.1", name)));
  Tags out;
  for (const Element* one : answer.list_at("TagDescriptions"))
    for (const Element* tag : one->list_at("Tags"))
      out[tag->text_at("Key")] = tag->text_at("Value");
  return out;
}

Result<BalancerAttributes> balancer_attributes(Client& client, const std::string& name) {
  HIVE_ASSIGN(const auto answer, client.query(Op::kDescribeLoadBalancerAttributes,
                                              Form().set("LoadBalancerName", name)));
  const Element* from = answer.at("LoadBalancerAttributes");
  if (from == nullptr) return fail(Errc::kCorrupt, "elb: the answer has no LoadBalancerAttributes");
  BalancerAttributes out;
  out.draining = from->text_at("ConnectionDraining/Enabled") == "true";
  if (from->at("ConnectionDraining/Timeout") != nullptr)
    out.draining_timeout_s = from->number_at<std::uint32_t>("ConnectionDraining/Timeout");
  out.cross_zone = from->text_at("CrossZoneLoadBalancing/Enabled") == "true";
  if (from->at("ConnectionSettings/IdleTimeout") != nullptr)
    out.idle_timeout_s = from->number_at<std::uint32_t>("ConnectionSettings/IdleTimeout");
  return out;
}

Result<std::string> create_balancer(Client& client, const Balancer& spec, const Tags& tags) {
  Form form;
  form.set("LoadBalancerName", spec.name);
  std::size_t i = 0;
  for (const auto& listener : spec.listeners) put_listeners(form, &listener, i++);
  form.list("Subnets.member", {spec.subnets.begin(), spec.subnets.end()});
  form.list("SecurityGroups.member", {spec.security_groups.begin(), spec.security_groups.end()});
  if (spec.internal) form.set("Scheme", "internal");
  i = 0;
  for (const auto& [key, value] : tags) {
    const std::string at = nth("Tags.member", i++);
    form.set(at + ".Key", key).set(at + ".Value", value);
  }
  HIVE_ASSIGN(const auto answer, client.query(Op::kCreateLoadBalancer, form));
  return answer.text_at("DNSName");
}

Status delete_balancer(Client& client, const std::string& name) {
  HIVE_TRY(client.query(Op::kDeleteLoadBalancer, Form().set("LoadBalancerName", name)));
  return {};
}

Status create_listeners(Client& client, const std::string& name,
                        const std::vector<BalancerListener>& listeners) {
  Form form;
  form.set("LoadBalancerName", name);
  for (std::size_t i = 0; i < listeners.size(); ++i) put_listeners(form, &listeners[i], i);
  HIVE_TRY(client.query(Op::kCreateListeners, form));
  return {};
}

Status delete_listeners(Client& client, const std::string& name,
                        const std::vector<std::uint16_t>& ports) {
  Form form;
  form.set("LoadBalancerName", name);
  for (std::size_t i = 0; i < ports.size(); ++i)
    form.set(nth("LoadBalancerPorts.member", i), ports[i]);
  HIVE_TRY(client.query(Op::kDeleteListeners, form));
  return {};
}

Status configure_health_check(Client& client, const std::string& name,
                              const BalancerHealth& health) {
  Form form;
  form.set("LoadBalancerName", name).set("HealthCheck.Target", health.target);
  form.set("HealthCheck.Interval", health.interval_s).set("HealthCheck.Timeout", health.timeout_s);
  form.set("HealthCheck.UnhealthyThreshold", health.unhealthy);
  form.set("HealthCheck.HealthyThreshold", health.healthy);
  HIVE_TRY(client.query(Op::kConfigureHealthCheck, form));
  return {};
}

Status modify_balancer(Client& client, const std::string& name,
                       const BalancerAttributes& attributes) {
  Form form;
  const std::string at = "LoadBalancerAttributes.";
  form.set("LoadBalancerName", name);
  form.flag(at + "CrossZoneLoadBalancing.Enabled", attributes.cross_zone);
  form.flag(at + "ConnectionDraining.Enabled", attributes.draining);
  form.set(at + "ConnectionDraining.Timeout", attributes.draining_timeout_s);
  form.set(at + "ConnectionSettings.IdleTimeout", attributes.idle_timeout_s);
  HIVE_TRY(client.query(Op::kModifyLoadBalancerAttributes, form));
  return {};
}

Status register_instances(Client& client, const std::string& name,
                          const std::vector<std::string>& instances) {
  Form form;
  form.set("LoadBalancerName", name);
  put_instances(form, instances);
  HIVE_TRY(client.query(Op::kRegisterInstances, form));
  return {};
}

Status deregister_instances(Client& client, const std::string& name,
                            const std::vector<std::string>& instances) {
  Form form;
  form.set("LoadBalancerName", name);
  put_instances(form, instances);
  HIVE_TRY(client.query(Op::kDeregisterInstances, form));
  return {};
}

Result<std::vector<InstanceHealth>> describe_instance_health(Client& client,
                                                             const std::string& name) {
  HIVE_ASSIGN(const auto answer,
              client.query(Op::kDescribeInstanceHealth, Form().set("LoadBalancerName", name)));
  std::vector<InstanceHealth> out;
  for (const Element* one : answer.list_at("InstanceStates"))
    out.push_back({.instance = one->text_at("InstanceId"),
                   .state = one->text_at("State"),
                   .description = one->text_at("Description")});
  return out;
}

}  // namespace hive::cloud::aws
