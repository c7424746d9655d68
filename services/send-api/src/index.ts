export { defineSendMessage, type MessageLimits, type SendMessageDto } from './messages/send-message.dto';
export { createSendApiMetrics, type SendApiMetrics, type SendOutcome, watchPendingSends } from './metrics';
export { buildOpenApi, type OpenApiDocument } from './reference/openapi';
export { createSendApi } from './send-api';
