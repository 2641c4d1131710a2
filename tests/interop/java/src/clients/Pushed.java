package clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.admin.ConsumeStats;
import org.apache.rocketmq.remoting.protocol.admin.OffsetWrapper;

/** A push consumer by itself: what was there before it came and what comes later, once each. */
final class Pushed {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtPush", 4);
    DefaultMQProducer producer = env.producer("ct_push");
    List<String> sent = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      producer.send(Env.message(topic, "before", "", "before " + i));
      sent.add("before " + i);
    }
    Counted seen = new Counted();
    Map<String, Object> one = new TreeMap<>();
    DefaultMQPushConsumer consumer = env.push("ct_push_group");
    consumer.setConsumeMessageBatchMaxSize(3);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (MessageExt m : messages) {
        seen.see(Env.body(m));
        if (Env.body(m).equals("after 7")) {
          one.putAll(Env.properties(m));
        }
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    for (int i = 0; i < 100; i++) {
      producer.send(Env.message(topic, "after", "key" + i, "after " + i));
      sent.add("after " + i);
    }
    out.say("everything came", Env.until(() -> seen.hasAll(sent)));
    out.say("twice", seen.twice());
    out.say("as received", one);
    consumer.shutdown();
    producer.shutdown();
  }

  /** What it has consumed is committed when it has left. */
  static void progress(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtProgress", 4);
    DefaultMQProducer producer = env.producer("ct_progress");
    Counted seen = new Counted();
    DefaultMQPushConsumer consumer = env.push("ct_progress_group");
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (MessageExt m : messages) {
        seen.see(Env.body(m));
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    for (int i = 0; i < 40; i++) {
      producer.send(Env.message(topic, "", "", "progress " + i));
    }
    out.say("everything came", Env.until(() -> seen.distinct() == 40));
    consumer.shutdown();
    Map<String, Long> lag = new TreeMap<>();
    Env.until(() -> {
      try {
        lag.clear();
        ConsumeStats stats = env.admin.examineConsumeStats("ct_progress_group", topic);
        for (Map.Entry<MessageQueue, OffsetWrapper> queue : stats.getOffsetTable().entrySet()) {
          OffsetWrapper at = queue.getValue();
          lag.put(queue.getKey().getTopic() + "/" + queue.getKey().getQueueId(), at.getBrokerOffset() - at.getConsumerOffset());
        }
        return lag.size() == 4 && lag.values().stream().allMatch(n -> n == 0);
      } catch (Exception e) {
        return false;
      }
    });
    out.say("lag after shutdown", lag);
    producer.shutdown();
  }
}
