package clients;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.message.Message;

/** A request that is answered, and one that nobody answers. */
final class RequestReply {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtRequest", 1);
    DefaultMQProducer answers = env.producer("ct_answers");
    DefaultMQPushConsumer server = env.push("ct_request_server");
    server.subscribe(topic, "asked");
    server.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (Message m : messages) {
        try {
          Message reply = MessageUtil.createReplyMessage(m, ("answer to " + Env.body(m)).getBytes());
          answers.send(reply, 10_000);
        } catch (Exception e) {
          e.printStackTrace();
        }
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    server.start();
    DefaultMQProducer producer = env.producer("ct_request");
    out.say("answered", request(producer, Env.message(topic, "asked", "", "question"), 80_000));
    out.say("not answered", request(producer, Env.message(topic, "unheard", "", "question"), 1_000));
    server.shutdown();
    producer.shutdown();
    answers.shutdown();
  }

  private static Object request(DefaultMQProducer producer, Message message, long timeout_ms) throws Exception {
    CompletableFuture<Object> outcome = new CompletableFuture<>();
    producer.request(message, (queues, m, arg) -> queues.get(0), null, new RequestCallback() {
      @Override
      public void onSuccess(Message reply) {
        outcome.complete(List.of(Env.body(reply), reply.getProperty("MSG_TYPE")));
      }

      @Override
      public void onException(Throwable e) {
        outcome.complete(e.getClass().getSimpleName());
      }
    }, timeout_ms);
    return outcome.get(timeout_ms + 30_000, TimeUnit.MILLISECONDS);
  }
}
