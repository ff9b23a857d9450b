#include "cloud/aws/account.h"

#include "cloud/aws/ec2_forms.h"

namespace hive::cloud::aws {

Result<Identity> get_caller_identity(Client& client) {
  HIVE_ASSIGN(const auto answer, client.query(Op::kGetCallerIdentity));
  HIVE_ASSIGN(auto account, text_or_corrupt(answer, "Account"));
  return Identity{.account = std::move(account), .arn = answer.text_at("Arn")};
}

Status put_parameter(Client& client, const std::string& name, const os::Secret& value,
                     Overwrite overwrite) {
  HIVE_TRY(client.json(Op::kPutParameter, {{"Name", name},
                                           {"Value", value.reveal()},
                                           {"Type", "SecureString"},
                                           {"Overwrite", overwrite == Overwrite::kAlways}}));
  return {};
}

Result<os::Secret> get_parameter(Client& client, const std::string& name) {
  HIVE_ASSIGN(const auto answer,
              client.json(Op::kGetParameter, {{"Name", name}, {"WithDecryption", true}}));
  if (json_path(answer, "Parameter.Value") == nullptr)
    return fail(Errc::kCorrupt, "ssm GetParameter: the answer has no value");
  return os::Secret(json_string(answer, "Parameter.Value"));
}

Status delete_parameter(Client& client, const std::string& name) {
  HIVE_TRY(client.json(Op::kDeleteParameter, {{"Name", name}}));
  return {};
}

}  // namespace hive::cloud::aws
