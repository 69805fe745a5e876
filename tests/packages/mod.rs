//! What is built and shipped: wheel, image, integrations, releases.

mod image;
mod kubernetes;
mod metadata;
mod release;
mod wheel;
