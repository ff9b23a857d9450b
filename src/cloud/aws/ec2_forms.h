// Parts that several EC2 calls share: filters, tags, and what a machine is launched with.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cloud/aws/ec2.h"
#include "cloud/aws/form.h"
#include "cloud/aws/xml.h"

namespace hive::cloud::aws {

// "tag:hive:cluster"
std::string cluster_filter();
// The index-th filter of a call, from 0.
void put_filter(Form& form, std::size_t index, const std::string& name,
                const std::vector<std::string>& values);
void put_tag_specification(Form& form, const std::string& list, std::size_t index,
                           const std::string& resource_type, const Tags& tags);
// `prefix` is "" for RunInstances and "LaunchTemplateData." for templates.
void put_launch(Form& form, const std::string& prefix, const LaunchSpec& spec);

// The entries of "tagSet".
Tags read_tag_set(const Element& element);
// kCorrupt when the answer lacks it.
Result<std::string> text_or_corrupt(const Element& answer, const std::string& path);

}  // namespace hive::cloud::aws
