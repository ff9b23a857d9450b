// Images of machines.
#include "cloud/aws/ec2.h"
#include "cloud/aws/ec2_forms.h"

namespace hive::cloud::aws {
namespace {

ImageState read_image_state(const std::string& text) {
  if (text == "available") return ImageState::kAvailable;
  return text == "pending" || text == "transient" ? ImageState::kPending : ImageState::kFailed;
}

Result<std::vector<Image>> find_images(Client& client, const Form& form) {
  HIVE_ASSIGN(const auto pages, client.query_all(Op::kDescribeImages, form));
  std::vector<Image> out;
  for (const auto& page : pages)
    for (const Element* one : page.list_at("imagesSet"))
      out.push_back({.id = one->text_at("imageId"),
                     .name = one->text_at("name"),
                     .created = one->text_at("creationDate"),
                     .root_device = one->text_at("rootDeviceName"),
                     .state = read_image_state(one->text_at("imageState")),
                     .problem = one->text_at("stateReason/message")});
  return out;
}

}  // namespace

Result<std::vector<Image>> describe_images(Client& client, const std::string& image,
                                           const std::string& owner) {
  Form form;
  if (image.starts_with("ami-")) {
    form.set("ImageId.1", image);
  } else {
    form.set("Owner.1", owner);
    put_filter(form, 0, "name", {image});
    put_filter(form, 1, "state", {"available"});
  }
  return find_images(client, form);
}

Result<std::vector<Image>> describe_own_images(Client& client, const std::string& name) {
  Form form;
  form.set("Owner.1", "self");
  put_filter(form, 0, "name", {name});
  return find_images(client, form);
}

Result<std::string> create_image(Client& client, const std::string& machine,
                                 const std::string& name, const std::string& description,
                                 const Tags& tags) {
  Form form;
  form.set("InstanceId", machine).set("Name", name).set("Description", description);
  put_tag_specification(form, "TagSpecification", 0, "image", tags);
  put_tag_specification(form, "TagSpecification", 1, "snapshot", tags);
  HIVE_ASSIGN(const auto answer, client.query(Op::kCreateImage, form));
  return text_or_corrupt(answer, "imageId");
}

}  // namespace hive::cloud::aws
