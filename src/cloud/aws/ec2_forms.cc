#include "cloud/aws/ec2_forms.h"

#include "base/base64.h"

namespace hive::cloud::aws {

std::string cluster_filter() { return std::string("tag:") + kClusterTag; }

void put_filter(Form& form, std::size_t index, const std::string& name,
                const std::vector<std::string>& values) {
  const std::string at = nth("Filter", index);
  form.set(at + ".Name", name).list(at + ".Value", values);
}

void put_tag_specification(Form& form, const std::string& list, std::size_t index,
                           const std::string& resource_type, const Tags& tags) {
  const std::string at = nth(list, index);
  form.set(at + ".ResourceType", resource_type);
  std::size_t i = 0;
  for (const auto& [key, value] : tags) {
    const std::string tag = nth(at + ".Tag", i++);
    form.set(tag + ".Key", key).set(tag + ".Value", value);
  }
}

void put_launch(Form& form, const std::string& prefix, const LaunchSpec& spec) {
  form.set(prefix + "ImageId", spec.image);
  form.set_unless_empty(prefix + "InstanceType", spec.type);
  form.set_unless_empty(prefix + "IamInstanceProfile.Name", spec.instance_profile);
  form.list(prefix + "SecurityGroupId", spec.security_groups);
  if (!spec.user_data.empty()) form.set(prefix + "UserData", base64_encode(spec.user_data));
  if (spec.disk_gib > 0) {
    const std::string disk = prefix + "BlockDeviceMapping.1";
    form.set(disk + ".DeviceName", spec.root_device);
    form.set(disk + ".Ebs.VolumeSize", spec.disk_gib);
    form.set(disk + ".Ebs.VolumeType", "gp3");
    form.flag(disk + ".Ebs.Encrypted", true);
    form.flag(disk + ".Ebs.DeleteOnTermination", true);
  }
  // IMDSv2 only; one hop, so that containers do not get at the node's role.
  form.set(prefix + "MetadataOptions.HttpTokens", "required");
  form.set(prefix + "MetadataOptions.HttpPutResponseHopLimit", 1);
  put_tag_specification(form, prefix + "TagSpecification", 0, "instance", spec.tags);
  put_tag_specification(form, prefix + "TagSpecification", 1, "volume", spec.tags);
}

Tags read_tag_set(const Element& element) {
  Tags out;
  for (const Element* tag : element.list_at("tagSet"))
    out[tag->text_at("key")] = tag->text_at("value");
  return out;
}

Result<std::string> text_or_corrupt(const Element& answer, const std::string& path) {
  std::string text = answer.text_at(path);
  if (text.empty()) return fail(Errc::kCorrupt, "AWS's answer has no " + path);
  return text;
}

}  // namespace hive::cloud::aws
