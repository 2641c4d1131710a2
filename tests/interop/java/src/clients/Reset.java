package clients;

import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** A running consumer is sent back to the beginning, and goes on from there. */
final class Reset {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtReset", 2);
    DefaultMQProducer producer = env.producer("ct_reset");
    for (int i = 0; i < 40; i++) {
      producer.send(Env.message(topic, "", "", "reset " + i));
    }
    Counted seen = new Counted();
    DefaultMQPushConsumer consumer = env.push("ct_reset_group");
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (MessageExt m : messages) {
        seen.see(Env.body(m));
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    out.say("everything came", Env.until(() -> seen.distinct() == 40));
    // Committed, so that there is something to be set back.
    Thread.sleep(6_000);
    Map<MessageQueue, Long> offsets = env.admin.resetOffsetByTimestamp(topic, "ct_reset_group", 0, true);
    out.say("set to", new java.util.TreeMap<>(Map.of("queues", offsets.size(), "sum", offsets.values().stream().mapToLong(n -> n).sum())));
    out.say("everything came again", Env.until(() -> seen.twice().size() == 40));
    producer.send(Env.message(topic, "", "", "after"));
    out.say("and what comes later", Env.until(() -> seen.has("after")));
    out.say("how often", new java.util.TreeMap<>(Map.of("reset 0", seen.of("reset 0"), "reset 39", seen.of("reset 39"), "after", seen.of("after"))));
    consumer.shutdown();
    producer.shutdown();
  }
}
