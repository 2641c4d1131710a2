package clients;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** One message found again: by key, by the id that its producer gave it, by the id of its place, by time. */
final class Query {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtQuery", 2);
    DefaultMQProducer producer = env.producer("ct_query");
    List<SendResult> sent = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      sent.add(producer.send(Env.message(topic, "T", "all even" + (i % 2) + " 键", "query " + i)));
    }
    for (String key : List.of("all", "even0", "even1", "键", "nobody", "al")) {
      List<String> found = new ArrayList<>();
      Env.until(key.length() > 2 || key.equals("键") ? 20_000 : 1, () -> {
        try {
          found.clear();
          QueryResult result = env.admin.queryMessage(topic, key, 32, 0, Long.MAX_VALUE);
          for (MessageExt m : result.getMessageList()) {
            found.add(Env.body(m));
          }
          return found.size() == (key.startsWith("even") ? 3 : 6);
        } catch (MQClientException e) {
          found.add("client " + e.getResponseCode());
          return key.equals("nobody");
        } catch (Exception e) {
          return false;
        }
      });
      Collections.sort(found);
      out.say("key " + key, found);
    }
    SendResult third = sent.get(3);
    out.say("by unique id", Env.body(env.admin.viewMessage(topic, third.getMsgId())));
    out.say("by offset id", Env.body(env.admin.viewMessage(topic, third.getOffsetMsgId())));
    MessageExt found = producer.viewMessage(topic, third.getMsgId());
    out.say("as found", List.of(found.getTopic(), found.getQueueId() == third.getMessageQueue().getQueueId(),
        found.getQueueOffset() == third.getQueueOffset(), Env.properties(found)));

    DefaultMQPullConsumer reader = env.reader();
    TreeMap<String, Object> bounds = new TreeMap<>();
    for (MessageQueue queue : reader.fetchSubscribeMessageQueues(topic)) {
      bounds.put("" + queue.getQueueId(), List.of(reader.minOffset(queue), reader.maxOffset(queue), reader.searchOffset(queue, 0L),
          reader.searchOffset(queue, System.currentTimeMillis() + 3_600_000L), reader.earliestMsgStoreTime(queue) > 0));
    }
    out.say("bounds", bounds);
    producer.shutdown();
  }
}
