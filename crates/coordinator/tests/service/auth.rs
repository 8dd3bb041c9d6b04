//! Tokens, health and reflection.

use std::sync::Arc;

use phasegrid_coordinator::Coordinator;
use phasegrid_coordinator::commit::MemoryStore;
use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::sweeps_client::SweepsClient;
use phasegrid_proto::v1::{ErrorKind, ListRequest};
use tokio_stream::StreamExt;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::harness::serve_elsewhere;

async fn guarded(directory: &std::path::Path) -> (Coordinator, Channel) {
    let store = Arc::new(MemoryStore::new());
    let coordinator = serve_elsewhere(directory, store, |config| {
        config.token = Some("secret".to_owned());
    });
    let coordinator = coordinator.await.unwrap();
    let channel = Channel::from_shared(coordinator.url()).unwrap().connect().await.unwrap();
    (coordinator, channel)
}

fn with_token<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", token.parse().unwrap());
    request
}

#[tokio::test]
async fn a_missing_or_wrong_token_is_unauthenticated() {
    let directory = tempfile::tempdir().unwrap();
    let (_coordinator, channel) = guarded(directory.path()).await;
    let mut sweeps = SweepsClient::new(channel);
    let missing = sweeps.list(ListRequest {}).await.unwrap_err();
    assert_eq!(missing.code(), Code::Unauthenticated);
    for wrong in ["Bearer secre", "Bearer secret2", "Bearer ", "secret", "Basic secret"] {
        let refused = sweeps.list(with_token(ListRequest {}, wrong)).await.unwrap_err();
        assert_eq!(ServiceError::from(refused).kind(), ErrorKind::BadToken, "{wrong}");
    }
    sweeps.list(with_token(ListRequest {}, "Bearer secret")).await.unwrap();
}

#[tokio::test]
async fn health_is_open_to_probes() {
    let directory = tempfile::tempdir().unwrap();
    let (_coordinator, channel) = guarded(directory.path()).await;
    let mut health = HealthClient::new(channel);
    for service in ["", "phasegrid.v1.Sweeps", "phasegrid.v1.Workers"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
}

#[tokio::test]
async fn reflection_names_the_services_to_those_with_the_token() {
    let directory = tempfile::tempdir().unwrap();
    let (_coordinator, channel) = guarded(directory.path()).await;
    let mut reflection = ServerReflectionClient::new(channel);
    let request = || ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let refused = reflection.server_reflection_info(tokio_stream::once(request())).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
    let asked = with_token(tokio_stream::once(request()), "Bearer secret");
    let mut answers = reflection.server_reflection_info(asked).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else {
        panic!("{answer:?}");
    };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    for service in ["phasegrid.v1.Sweeps", "phasegrid.v1.Workers", "grpc.health.v1.Health"] {
        assert!(names.iter().any(|name| name == service), "{names:?}");
    }
}
