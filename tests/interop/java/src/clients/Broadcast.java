package clients;

import java.util.ArrayList;
import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;

/** Broadcasting: each member of the group gets everything, and failures do not come back. */
final class Broadcast {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtBroadcast", 3);
    List<Counted> seen = new ArrayList<>();
    List<DefaultMQPushConsumer> consumers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Counted mine = new Counted();
      seen.add(mine);
      DefaultMQPushConsumer consumer = env.push("ct_broadcast_group");
      consumer.setMessageModel(MessageModel.BROADCASTING);
      consumer.subscribe(topic, "*");
      consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
        for (MessageExt m : messages) {
          mine.see(Env.body(m));
        }
        return Env.body(messages.get(0)).equals("cast 3") ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
      });
      consumer.start();
      consumers.add(consumer);
    }
    DefaultMQProducer producer = env.producer("ct_broadcast");
    for (int i = 0; i < 30; i++) {
      producer.send(Env.message(topic, "", "", "cast " + i));
    }
    out.say("everything came to each", Env.until(() -> seen.stream().allMatch(one -> one.distinct() == 30)));
    Env.never(2_000, () -> seen.stream().anyMatch(one -> !one.twice().isEmpty()));
    for (int i = 0; i < 3; i++) {
      out.say("twice", seen.get(i).twice());
      consumers.get(i).shutdown();
    }
    producer.shutdown();
  }
}
