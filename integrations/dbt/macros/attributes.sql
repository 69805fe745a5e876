{# The columns of a grant besides its id. A change of one that is not part of the id is told as a change. #}
{% macro attributes() %}
    {{ return([
        'organization_id', 'principal_type', 'principal_id', 'principal_name', 'principal_email', 'principal_status',
        'principal_state', 'auth_type', 'is_dangling_principal', 'role_name', 'scope_type', 'environment_id',
        'environment_name', 'cloud_cluster_id', 'cloud_cluster_name', 'service_type', 'service_id', 'resource_type',
        'resource_name', 'pattern_type', 'crn_pattern', 'is_dangling_scope', 'via', 'via_id', 'api_key_resource_kind',
        'api_key_resource_id', 'is_conditional', 'condition', 'role_binding_id', 'granted_at',
    ]) }}
{% endmacro %}
