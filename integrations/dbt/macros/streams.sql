{# The streams to read, as the variable `confluent_streams` names them. #}
{% macro streams() %}
    {% set needed = ['role_bindings', 'users', 'service_accounts', 'invitations'] %}
    {% set optional = [
        'api_keys', 'group_mappings', 'identity_pools', 'certificate_pools', 'environments', 'kafka_clusters',
        'schema_registry_clusters', 'flink_compute_pools', 'identity_providers',
    ] %}
    {% set named = var('confluent_streams') %}
    {% for stream in named if stream not in needed + optional %}
        {{ exceptions.raise_compiler_error(
            "confluent_streams names " ~ stream ~ ", which this package does not read. It reads "
            ~ (needed + optional) | join(', ') ~ "."
        ) }}
    {% endfor %}
    {% for stream in needed if stream not in named %}
        {{ exceptions.raise_compiler_error("confluent_streams has to name " ~ stream ~ ".") }}
    {% endfor %}
    {{ return(named | unique | sort) }}
{% endmacro %}

{# Names and types of the columns of a stream's table. #}
{% macro columns_of(stream) %}
    {% set relation = source('confluent_cloud', stream) %}
    {% set types = {} %}
    {% if execute %}
        {% if load_relation(relation) is none %}
            {{ exceptions.raise_compiler_error(
                "The table " ~ relation ~ " does not exist. See that confluent_schema is right, and sync the stream " ~ stream
                ~ (", which is always needed." if stream == 'extractions' else ", or leave it out of confluent_streams.")
            ) }}
        {% endif %}
        {% for column in adapter.get_columns_in_relation(relation) %}
            {% do types.update({column.name: column.dtype | lower}) %}
        {% endfor %}
    {% endif %}
    {{ return(types) }}
{% endmacro %}

{# A column that may be absent, because `personal_data: omit` leaves it out, or a column that has to be there. #}
{% macro text_of(stream, types, name) %}
    {%- if name in types or not execute -%} {{ name }}
    {%- elif name in ['email', 'full_name'] -%} cast(null as text)
    {%- else -%}
        {{ exceptions.raise_compiler_error("The stream " ~ stream ~ " was synced without the column " ~ name ~ ".") }}
    {%- endif -%}
{% endmacro %}

{# A time as a timestamp without time zone, in UTC: loaders differ in the types that they choose. #}
{% macro time_of(stream, types, name) %}
    {%- if 'with time zone' in types.get(name, '') or 'timestamptz' in types.get(name, '') -%}
        {{ name }} at time zone 'UTC'
    {%- else -%}
        cast({{ text_of(stream, types, name) }} as timestamp)
    {%- endif -%}
{% endmacro %}

{# When a row was extracted, by the connector's clock. #}
{% macro extracted_at(stream, types) %}
    {%- for name in ['_sdc_extracted_at', '_airbyte_extracted_at'] if name in types -%}
        {{ time_of(stream, types, name) }}
    {%- else -%}
        {%- if execute -%}
            {{ exceptions.raise_compiler_error(
                "The table of " ~ stream ~ " has neither _sdc_extracted_at nor _airbyte_extracted_at, so that "
                ~ "its old rows cannot be told. Let the target add its metadata columns."
            ) }}
        {%- endif -%}
        cast(null as timestamp)
    {%- endfor -%}
{% endmacro %}

{# Every row of a stream's table; none if the stream is not synced. #}
{% macro rows_of(stream, texts=[], times=[]) %}
    {%- if stream in confluent_cloud.streams() -%}
        {%- set types = confluent_cloud.columns_of(stream) -%}
        select
            organization_id, id, {{ confluent_cloud.extracted_at(stream, types) }} as extracted_at
            {%- for name in texts %}, {{ confluent_cloud.text_of(stream, types, name) }} as {{ name }}{% endfor %}
            {%- for name in times %}, {{ confluent_cloud.time_of(stream, types, name) }} as {{ name }}{% endfor %}
        from {{ source('confluent_cloud', stream) }}
    {%- else -%}
        select
            cast(null as text) as organization_id, cast(null as text) as id, cast(null as timestamp) as extracted_at
            {%- for name in texts %}, cast(null as text) as {{ name }}{% endfor %}
            {%- for name in times %}, cast(null as timestamp) as {{ name }}{% endfor %}
        where 1 = 0
    {%- endif -%}
{% endmacro %}

{# The records of the last complete extraction of a stream: one row per record, and nothing that is older. #}
{% macro records_of(stream, texts=[], times=[]) %}
    select * from (
        select
            row_of.*,
            row_number() over (partition by row_of.organization_id, row_of.id order by row_of.extracted_at desc) as nth
        from ({{ confluent_cloud.rows_of(stream, texts, times) }}) row_of
        inner join {{ ref('extraction_evidence') }} evidence
            on evidence.organization_id = row_of.organization_id
            and evidence.stream = '{{ stream }}'
            and row_of.extracted_at >= evidence.read_from
    ) numbered
    where nth = 1
{% endmacro %}
