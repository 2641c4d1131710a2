// Expressions: evaluation.
#include "inspect/expression.h"

#include <algorithm>

#include <fmt/format.h>

#include "format/message_id.h"
#include "format/properties.h"
#include "inspect/expression_node.h"
#include "inspect/references.h"

namespace mq::inspect {
namespace {

using Node = Expression::Node;

bool compare(Op op, auto left, auto right) {
  switch (op) {
    case Op::kEq:
      return left == right;
    case Op::kNe:
      return left != right;
    case Op::kLt:
      return left < right;
    case Op::kLe:
      return left <= right;
    case Op::kGt:
      return left > right;
    default:
      return left >= right;
  }
}

bool fits(const Node& node, std::string_view text) {
  switch (node.op) {
    case Op::kMatch:
      return node.pattern->found_in(text);
    case Op::kNoMatch:
      return !node.pattern->found_in(text);
    case Op::kContains:
      return text.find(node.text) != std::string_view::npos;
    default:
      return compare(node.op, text, std::string_view(node.text));
  }
}

// One of several has to fit; with a negated operator none may.
bool any_fits(const Node& node, const std::vector<std::string_view>& texts) {
  const auto one = [&](std::string_view text) { return fits(node, text); };
  const bool negated = node.op == Op::kNe || node.op == Op::kNoMatch;
  return negated ? std::all_of(texts.begin(), texts.end(), one)
                 : std::any_of(texts.begin(), texts.end(), one);
}

std::vector<std::string_view> keys_of(const format::Record& record) {
  std::vector<std::string_view> keys = index_keys(record.properties);
  if (format::find_property(record.properties, format::kUniqKey)) keys.erase(keys.begin());
  return keys;
}

bool id_fits(const Node& node, const format::Record& record) {
  const std::string offset_id =
      format::offset_message_id(record.store_host, record.physical_offset);
  std::vector<std::string_view> ids{offset_id};
  if (const auto unique = format::find_property(record.properties, format::kUniqKey))
    ids.push_back(*unique);
  return any_fits(node, ids);
}

std::int64_t number_in(const format::Record& r, ExpressionField field) {
  switch (field) {
    case ExpressionField::kQueue:
      return r.queue_id;
    case ExpressionField::kOffset:
      return r.queue_offset.value();
    case ExpressionField::kPhysical:
      return r.physical_offset.value();
    case ExpressionField::kSize:
      return r.total_bytes;
    case ExpressionField::kBodySize:
      return static_cast<std::int64_t>(r.body.size());
    case ExpressionField::kStored:
      return r.store_timestamp_ms;
    case ExpressionField::kBorn:
      return r.born_timestamp_ms;
    case ExpressionField::kFlag:
      return r.flag;
    case ExpressionField::kSysFlag:
      return r.sys_flag;
    default:
      return r.reconsume_times;
  }
}

bool text_fits(const Node& node, const format::Record& r, const Expression::BodyOf& body,
               std::string& buffer) {
  const auto property = [&](std::string_view name) {
    return format::find_property(r.properties, name).value_or("");
  };
  switch (node.field) {
    case ExpressionField::kTopic:
      return fits(node, r.topic);
    case ExpressionField::kBody:
      return fits(node, as_text(body(r, buffer)));
    case ExpressionField::kTag:
      return fits(node, property(format::kTags));
    case ExpressionField::kKey:
      return any_fits(node, keys_of(r));
    case ExpressionField::kId:
      return id_fits(node, r);
    case ExpressionField::kStoreHost:
      return fits(node, format::to_string(r.store_host));
    case ExpressionField::kBornHost:
      return fits(node, format::to_string(r.born_host));
    case ExpressionField::kTransaction:
      return fits(node, format::transaction_name(r.transaction_type()));
    default:
      return fits(node, property(node.property));
  }
}

bool matches(const Node& node, const format::Record& r, const Expression::BodyOf& body,
             std::string& buffer) {
  const auto holds = [&](const std::shared_ptr<const Node>& child) {
    return matches(*child, r, body, buffer);
  };
  switch (node.kind) {
    case Node::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), holds);
    case Node::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), holds);
    case Node::Kind::kNot:
      return !holds(node.children[0]);
    case Node::Kind::kTest:
      break;
  }
  return type_of(node.field) == FieldType::kText
             ? text_fits(node, r, body, buffer)
             : compare(node.op, number_in(r, node.field), node.number);
}

// The numbers that a test allows, as [from, to).
std::pair<std::int64_t, std::int64_t> allowed(const Node& node) {
  const std::int64_t behind = node.number == INT64_MAX ? INT64_MAX : node.number + 1;
  switch (node.op) {
    case Op::kEq:
      return {node.number, behind};
    case Op::kLt:
      return {INT64_MIN, node.number};
    case Op::kLe:
      return {INT64_MIN, behind};
    case Op::kGt:
      return {behind, INT64_MAX};
    case Op::kGe:
      return {node.number, INT64_MAX};
    default:
      return {INT64_MIN, INT64_MAX};
  }
}

Scan scan_of(const Node& node) {
  Scan out;
  if (node.kind == Node::Kind::kTest) {
    const auto [from, to] = allowed(node);
    if (node.field == ExpressionField::kPhysical) {
      out.from = PhysicalOffset(std::max<std::int64_t>(0, from));
      out.to = PhysicalOffset(to);
    } else if (node.field == ExpressionField::kStored) {
      out.from_ms = from;
      out.to_ms = to;
    }
  } else if (node.kind == Node::Kind::kAnd) {
    for (const auto& child : node.children) {
      const Scan s = scan_of(*child);
      out = {std::max(out.from, s.from), std::min(out.to, s.to), std::max(out.from_ms, s.from_ms),
             std::min(out.to_ms, s.to_ms)};
    }
  } else if (node.kind == Node::Kind::kOr) {
    out = scan_of(*node.children.front());
    for (const auto& child : node.children) {
      const Scan s = scan_of(*child);
      out = {std::min(out.from, s.from), std::max(out.to, s.to), std::min(out.from_ms, s.from_ms),
             std::max(out.to_ms, s.to_ms)};
    }
  }
  return out;
}

}  // namespace

bool Expression::matches(const format::Record& record, const BodyOf& body,
                         std::string& buffer) const {
  return inspect::matches(*root_, record, body, buffer);
}

Scan Expression::scan() const { return scan_of(*root_); }

}  // namespace mq::inspect
