// VPCs, subnets, images and security groups.
#include "cloud/aws/ec2.h"
#include "cloud/aws/ec2_forms.h"

namespace hive::cloud::aws {
namespace {

// Of other protocols all of it is meant, whatever ports an answer has.
bool has_ports(const std::string& protocol) {
  return protocol == "tcp" || protocol == "udp" || protocol.starts_with("icmp");
}

// One permission names several sources: a rule each.
void add_rules(const Element& permission, std::vector<IngressRule>& out) {
  IngressRule rule{.protocol = permission.text_at("ipProtocol")};
  if (has_ports(rule.protocol)) {
    rule.from_port = permission.number_at("fromPort", -1);
    rule.to_port = permission.number_at("toPort", -1);
  }
  const auto add = [&](const char* list, const char* field, std::string IngressRule::*member) {
    for (const Element* source : permission.list_at(list)) {
      IngressRule one = rule;
      one.*member = source->text_at(field);
      out.push_back(std::move(one));
    }
  };
  add("groups", "groupId", &IngressRule::group);
  add("ipRanges", "cidrIp", &IngressRule::cidr);
  add("ipv6Ranges", "cidrIpv6", &IngressRule::cidr);
  add("prefixListIds", "prefixListId", &IngressRule::cidr);
}

void put_rules(Form& form, const std::vector<IngressRule>& rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const IngressRule& rule = rules[i];
    const std::string at = nth("IpPermissions", i);
    form.set(at + ".IpProtocol", rule.protocol);
    form.set(at + ".FromPort", rule.from_port).set(at + ".ToPort", rule.to_port);
    if (!rule.group.empty())
      form.set(at + ".Groups.1.GroupId", rule.group);
    else if (rule.cidr.starts_with("pl-"))
      form.set(at + ".PrefixListIds.1.PrefixListId", rule.cidr);
    else if (rule.cidr.find(':') != std::string::npos)
      form.set(at + ".Ipv6Ranges.1.CidrIpv6", rule.cidr);
    else
      form.set(at + ".IpRanges.1.CidrIp", rule.cidr);
  }
}

}  // namespace

Result<std::vector<Vpc>> describe_vpcs(Client& client) {
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kDescribeVpcs));
  std::vector<Vpc> out;
  for (const auto& page : pages)
    for (const Element* one : page.list_at("vpcSet"))
      out.push_back({.id = one->text_at("vpcId"),
                     .cidr = one->text_at("cidrBlock"),
                     .tags = read_tag_set(*one),
                     .is_default = one->text_at("isDefault") == "true"});
  return out;
}

Result<std::vector<Subnet>> describe_subnets(Client& client, const std::string& vpc) {
  Form form;
  put_filter(form, 0, "vpc-id", {vpc});
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kDescribeSubnets, form));
  std::vector<Subnet> out;
  for (const auto& page : pages)
    for (const Element* one : page.list_at("subnetSet"))
      out.push_back({.id = one->text_at("subnetId"),
                     .zone = one->text_at("availabilityZone"),
                     .cidr = one->text_at("cidrBlock"),
                     .tags = read_tag_set(*one),
                     .default_for_zone = one->text_at("defaultForAz") == "true"});
  return out;
}

Result<std::vector<SecurityGroup>> describe_security_groups(Client& client,
                                                            const std::string& cluster) {
  Form form;
  put_filter(form, 0, cluster_filter(), {cluster});
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kDescribeSecurityGroups, form));
  std::vector<SecurityGroup> out;
  for (const auto& page : pages) {
    for (const Element* one : page.list_at("securityGroupInfo")) {
      SecurityGroup group{.id = one->text_at("groupId"),
                          .name = one->text_at("groupName"),
                          .vpc = one->text_at("vpcId"),
                          .tags = read_tag_set(*one)};
      for (const Element* permission : one->list_at("ipPermissions"))
        add_rules(*permission, group.ingress);
      out.push_back(std::move(group));
    }
  }
  return out;
}

Result<std::string> create_security_group(Client& client, const std::string& name,
                                          const std::string& description, const std::string& vpc,
                                          const Tags& tags) {
  Form form;
  form.set("GroupName", name).set("GroupDescription", description).set("VpcId", vpc);
  put_tag_specification(form, "TagSpecification", 0, "security-group", tags);
  HIVE_ASSIGN(const auto answer, client.query(Op::kCreateSecurityGroup, form));
  return text_or_corrupt(answer, "groupId");
}

Status authorize_ingress(Client& client, const std::string& group,
                         const std::vector<IngressRule>& rules) {
  Form form;
  form.set("GroupId", group);
  put_rules(form, rules);
  HIVE_TRY(client.query(Op::kAuthorizeIngress, form));
  return {};
}

Status revoke_ingress(Client& client, const std::string& group,
                      const std::vector<IngressRule>& rules) {
  Form form;
  form.set("GroupId", group);
  put_rules(form, rules);
  HIVE_TRY(client.query(Op::kRevokeIngress, form));
  return {};
}

Status delete_security_group(Client& client, const std::string& group) {
  HIVE_TRY(client.query(Op::kDeleteSecurityGroup, Form().set("GroupId", group)));
  return {};
}

}  // namespace hive::cloud::aws
