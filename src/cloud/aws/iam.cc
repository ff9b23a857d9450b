#include "cloud/aws/iam.h"

#include "net/http_server.h"

namespace hive::cloud::aws {
namespace {

Form role_form(const std::string& role) {
  Form form;
  form.set("RoleName", role);
  return form;
}

Form policy_form(const std::string& role) {
  return role_form(role).set("PolicyName", kRolePolicyName);
}

void put_tags(Form& form, const Tags& tags) {
  std::size_t i = 0;
  for (const auto& [key, value] : tags) {
    const std::string at = nth("Tags.member", i++);
    form.set(at + ".Key", key).set(at + ".Value", value);
  }
}

Status call(Client& client, Op op, const Form& form) {
  HIVE_TRY(client.query(op, form));
  return {};
}

}  // namespace

Result<Role> get_role(Client& client, const std::string& name) {
  HIVE_ASSIGN(const auto answer, client.query(Op::kGetRole, role_form(name)));
  Role role{.name = answer.text_at("Role/RoleName"), .arn = answer.text_at("Role/Arn")};
  for (const Element* tag : answer.list_at("Role/Tags"))
    role.tags[tag->text_at("Key")] = tag->text_at("Value");
  return role;
}

Result<Json> get_role_policy(Client& client, const std::string& role) {
  HIVE_ASSIGN(const auto answer, client.query(Op::kGetRolePolicy, policy_form(role)));
  return parse_json(net::percent_decode(answer.text_at("PolicyDocument")),
                    "the policy of role " + role);
}

Result<InstanceProfile> get_instance_profile(Client& client, const std::string& name) {
  HIVE_ASSIGN(const auto answer,
              client.query(Op::kGetInstanceProfile, Form().set("InstanceProfileName", name)));
  InstanceProfile out{.name = answer.text_at("InstanceProfile/InstanceProfileName")};
  for (const Element* role : answer.list_at("InstanceProfile/Roles"))
    out.role = role->text_at("RoleName");
  return out;
}

Status create_role(Client& client, const std::string& name, const std::string& description,
                   const Tags& tags) {
  const Json trust{{"Version", "2012-10-17"},
                   {"Statement",
                    {{{"Effect", "Allow"},
                      {"Principal", {{"Service", "ec2.amazonaws.com"}}},
                      {"Action", "sts:AssumeRole"}}}}};
  Form form = role_form(name);
  form.set("AssumeRolePolicyDocument", trust.dump()).set("Description", description);
  put_tags(form, tags);
  return call(client, Op::kCreateRole, form);
}

Status put_role_policy(Client& client, const std::string& role, const Json& document) {
  return call(client, Op::kPutRolePolicy, policy_form(role).set("PolicyDocument", document.dump()));
}

Status delete_role_policy(Client& client, const std::string& role) {
  return call(client, Op::kDeleteRolePolicy, policy_form(role));
}

Status delete_role(Client& client, const std::string& name) {
  return call(client, Op::kDeleteRole, role_form(name));
}

Status create_instance_profile(Client& client, const std::string& name, const Tags& tags) {
  Form form;
  form.set("InstanceProfileName", name);
  put_tags(form, tags);
  return call(client, Op::kCreateInstanceProfile, form);
}

Status add_role_to_profile(Client& client, const std::string& profile, const std::string& role) {
  return call(client, Op::kAddRoleToInstanceProfile,
              Form().set("InstanceProfileName", profile).set("RoleName", role));
}

Status remove_role_from_profile(Client& client, const std::string& profile,
                                const std::string& role) {
  return call(client, Op::kRemoveRoleFromInstanceProfile,
              Form().set("InstanceProfileName", profile).set("RoleName", role));
}

Status delete_instance_profile(Client& client, const std::string& name) {
  return call(client, Op::kDeleteInstanceProfile, Form().set("InstanceProfileName", name));
}

}  // namespace hive::cloud::aws
