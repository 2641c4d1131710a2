package clients;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/** Delay levels: nothing early, everything once, as it was sent. Levels are configured as 1s 1s 1s 2s 3s … 3s. */
final class Delay {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtDelay", 2);
    Map<String, Long> sent_ms = new TreeMap<>();
    Map<String, Long> came_ms = new ConcurrentHashMap<>();
    Map<String, Object> as_received = new ConcurrentHashMap<>();
    Counted seen = new Counted();
    DefaultMQPushConsumer consumer = env.push("ct_delay_group");
    consumer.subscribe(topic, "T");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      MessageExt m = messages.get(0);
      seen.see(Env.body(m));
      came_ms.putIfAbsent(Env.body(m), System.currentTimeMillis());
      as_received.put(Env.body(m), List.of(m.getTopic(), m.getReconsumeTimes(), Env.properties(m)));
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    DefaultMQProducer producer = env.producer("ct_delay");
    Map<Integer, Long> waits = Map.of(0, 0L, 1, 1000L, 4, 2000L, 5, 3000L, 18, 3000L, 99, 3000L);
    for (int level : new int[] {0, 1, 4, 5, 18, 99}) {
      for (int i = 0; i < 3; i++) {
        String body = "level " + level + " " + i;
        Message message = Env.message(topic, "T", "k" + i, body);
        message.setDelayTimeLevel(level);
        sent_ms.put(body, System.currentTimeMillis());
        producer.send(message);
      }
    }
    out.say("everything came", Env.until(() -> seen.distinct() == 18));
    boolean early = false;
    for (String body : sent_ms.keySet()) {
      long wait = waits.get(Integer.parseInt(body.split(" ")[1]));
      early = early || !came_ms.containsKey(body) || came_ms.get(body) - sent_ms.get(body) < wait - 10;
    }
    out.say("nothing early", !early);
    out.say("twice", seen.twice());
    out.say("as received", new TreeMap<>(as_received));
    consumer.shutdown();
    producer.shutdown();
  }
}
