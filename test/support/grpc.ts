export { grpcClients, type GrpcClients } from '#local-cluster';
